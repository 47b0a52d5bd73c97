// Standard output, as something whose reader may go away.
#pragma once

#include "async/task.h"
#include "async/uv_loop.h"

namespace async {

// Done when nobody can read standard output any more: it is a pipe or a socket, and its other end was
// closed. Never done where that cannot be, as with a file. Throws IoError.
Task<> output_abandoned(UvLoop& loop);

}  // namespace async
