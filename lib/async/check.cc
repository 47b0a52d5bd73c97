#include "async/check.h"

#include <cstdio>
#include <cstdlib>

namespace async {

void check_failed(const char* what, const std::source_location& where) {
  std::fprintf(stderr, "check failed: %s (%s:%u, %s)\n", what, where.file_name(),
               static_cast<unsigned>(where.line()), where.function_name());
  std::fflush(stderr);
  std::abort();
}

}  // namespace async
