# Compiler and linker flags of every target, as one interface library.
add_library(canaryctl_flags INTERFACE)

target_compile_definitions(canaryctl_flags INTERFACE _GNU_SOURCE)
target_compile_options(canaryctl_flags INTERFACE
  -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wold-style-definition
  -Wpointer-arith -Wcast-qual -Wwrite-strings -Wvla -Wformat=2 -Wundef -Wnull-dereference
  -Wimplicit-fallthrough -Wdouble-promotion -fno-common -fstack-protector-strong)

if(CANARYCTL_WERROR)
  target_compile_options(canaryctl_flags INTERFACE -Werror)
endif()

if(CANARYCTL_SANITIZE)
  target_compile_options(canaryctl_flags INTERFACE
    -fsanitize=${CANARYCTL_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  target_link_options(canaryctl_flags INTERFACE -fsanitize=${CANARYCTL_SANITIZE})
endif()

# libFuzzer steers by the coverage of the code under test, so all of it is instrumented.
if(CANARYCTL_FUZZ)
  if(NOT CMAKE_C_COMPILER_ID STREQUAL "Clang")
    message(FATAL_ERROR "CANARYCTL_FUZZ needs clang: cmake --preset fuzz")
  endif()
  # clang's NAN is a float, gcc's is none: no warning about what only one of them sees.
  target_compile_options(canaryctl_flags INTERFACE -fsanitize=fuzzer-no-link -Wno-double-promotion)
endif()

if(CANARYCTL_HARDENING)
  set(CMAKE_POSITION_INDEPENDENT_CODE ON)
  target_compile_options(canaryctl_flags INTERFACE
    -fPIE -fcf-protection=full -fstack-clash-protection -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3)
  target_link_options(canaryctl_flags INTERFACE -pie -Wl,-z,relro,-z,now -Wl,-z,noexecstack)
endif()
