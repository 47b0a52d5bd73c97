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

  // A service that is not known yet becomes known.
  void set_serving(std::string_view service, bool serving);
  // Every service that is known, and "".
  void set_all_serving(bool serving);

  // The handlers.
  async::Task<v1::CheckResponse> check(v1::CheckRequest request, Context context);
  async::Task<> watch(v1::WatchRequest request, Context context, Writer<v1::WatchResponse> writer);

 private:
  v1::ServingStatus state(std::string_view service) const;
  void tell();

  std::map<std::string, bool, std::less<>> serving_;
  async::Event changed_;
};

}  // namespace rpc
