/* cmocka, with the headers that it needs first. Each test program includes this as its first. */
#ifndef CANARYCTL_TESTS_TEST_H
#define CANARYCTL_TESTS_TEST_H

/* clang-format off */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
/* clang-format on */

#endif
