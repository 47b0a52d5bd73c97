// Standard input as a stream.
#pragma once

#include "async/stream.h"
#include "async/uv_loop.h"

namespace async {

// What the process reads from: a terminal, a pipe, a socket or a file. Each call gives a stream of
// its own; bytes that one of them took, the others do not see. Writing to it throws IoError. Throws
// IoError.
Stream standard_input(UvLoop& loop);

}  // namespace async
