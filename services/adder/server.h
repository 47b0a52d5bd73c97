// The talk's adder, in bare mode: a frame holds an AddRequest, its answer an AddResponse.
#pragma once

#include <chrono>
#include <cstddef>

#include "adder/v1/adder.pb.h"
#include "async/loop.h"
#include "async/scope.h"
#include "async/stream.h"
#include "async/task.h"

namespace adder {

inline constexpr std::size_t connections_max = 10'000;
inline constexpr async::Duration frame_time_max = std::chrono::seconds(5);
inline constexpr async::Duration unread_time_max = std::chrono::seconds(10);

// The handler: left plus right, or why there is no sum.
async::Task<v1::AddResponse> add(v1::AddRequest request);

// Answers the requests of each connection in their order. What does not parse, and a caller that
// stops in the middle of a frame or never reads, ends its own connection only. Owned by main or a
// test; loop thread only.
class Server {
 public:
  explicit Server(async::Loop& loop) : loop_(loop), tasks_(loop) {}

  void serve(async::Listener listener);
  // Ends every connection; replies that are ready have left by then.
  void stop() noexcept { tasks_.cancel(); }

 private:
  async::Task<> accept_from(async::Listener listener);
  async::Task<> answer(async::Stream stream);

  async::Loop& loop_;
  async::TaskScope tasks_;
};

}  // namespace adder
