// Health: whether a server can do its work, by service. Every server answers rpc.v1.HealthService
// with it.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "async/future.h"
#include "async/loop.h"
#include "async/task.h"
#include "rpc/call.h"
#include "rpc/context.h"
#include "rpc/v1/health.pb.h"

namespace rpc {

// Owned by its Server; loop thread only. The service "" is the whole server.
class Health {
 public:
  explicit Health(async::Loop& loop) : changed_(loop) {}

  // A service that is not known yet becomes known. `reason` says in a sentence why it does not serve.
  void set_serving(std::string_view service, bool serving, std::string reason = "");
  // Every service that is known, and "".
  void set_all_serving(bool serving);

  bool is_serving(std::string_view service) const;

  // The handlers.
  async::Task<v1::CheckResponse> check(v1::CheckRequest request, Context context);
  async::Task<> watch(v1::WatchRequest request, Context context, Writer<v1::WatchResponse> writer);

 private:
  // Fills a response of either method; false if it says what `response` says already.
  template <typename Response>
  bool fill(std::string_view service, Response& response) const;
  void tell();

  struct State {
    bool serving = true;
    std::string reason;
  };
  std::map<std::string, State, std::less<>> states_;
  async::Event changed_;
};

}  // namespace rpc
