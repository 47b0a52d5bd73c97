// Asks an adder.
#pragma once

#include "adder/v1/adder.pb.h"
#include "async/endpoint.h"
#include "async/loop.h"
#include "async/task.h"
#include "async/time.h"

namespace adder {

// One question on a connection of its own. Throws async::IoError, and ops::Failure with a sentence
// when no answer comes.
async::Task<v1::AddResponse> ask(async::Loop& loop, async::Endpoint endpoint,
                                 v1::AddRequest request, async::Deadline deadline);

}  // namespace adder
