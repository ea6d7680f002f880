/*
 * UTF-8, character by character, of text that may be none: for everything that shows text from
 * outside. Pure.
 */
#ifndef CANARYCTL_UTF8_H
#define CANARYCTL_UTF8_H

#include "canaryctl/buf.h"

#include <stdint.h>

#define UTF8_REPLACEMENT 0xfffdU

/* The next character; moves *text on. One replacement per wrong byte. */
uint32_t utf8_next(const char **text);
void utf8_add(struct buf *buf, uint32_t character);

/* On a terminal: 0, 1 or 2; -1: invisible, and may steer the terminal or deceive a reader. */
int utf8_columns(uint32_t character);

#endif
