#include "ledger/check.h"

#include <cstdio>
#include <cstdlib>

namespace ledger {

void check_failed(std::source_location where) {
  std::fprintf(stderr, "check failed: %s:%u in %s\n", where.file_name(),
               static_cast<unsigned>(where.line()), where.function_name());
  std::abort();
}

}  // namespace ledger
