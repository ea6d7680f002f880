/* The difference of two short texts, line by line, as people know it from `diff -u`. Pure. */
#ifndef CANARYCTL_DIFF_H
#define CANARYCTL_DIFF_H

#include "canaryctl/buf.h"

/* Adds "- old" and "+ new" lines; lines that stay are left out. Texts of more than
 * DIFF_MAX_LINES lines each are said to differ, without showing how. */
enum { DIFF_MAX_LINES = 2000 };
void diff_lines(const char *old_text, const char *new_text, struct buf *ret_diff);

#endif
