/* "did you mean": the name that a mistyped word was most likely meant to be. Pure. */
#ifndef CANARYCTL_SUGGEST_H
#define CANARYCTL_SUGGEST_H

/* The nearest of `names` (NULL-terminated) that is near enough to be meant; NULL: none. */
const char *suggest_name(const char *word, const char *const *names);

#endif
