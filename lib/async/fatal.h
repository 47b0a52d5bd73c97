// Fatal: an exception after which the process must not go on.
#pragma once

#include <stdexcept>

namespace async {

// Wherever it ends up, it ends Loop::run, which throws it: a server that turns what its handlers
// throw into a status does that with everything but this.
class Fatal : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

}  // namespace async
