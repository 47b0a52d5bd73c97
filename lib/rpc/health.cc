#include "rpc/health.h"

namespace rpc {

void Health::set_serving(std::string_view service, bool serving) {
  const auto known = serving_.find(service);
  if (known != serving_.end() && known->second == serving) return;
  if (known != serving_.end()) {
    known->second = serving;
  } else {
    serving_.emplace(service, serving);
  }
  tell();
}

void Health::set_all_serving(bool serving) {
  for (auto& known : serving_) known.second = serving;
  tell();
}

v1::ServingStatus Health::state(std::string_view service) const {
  const auto known = serving_.find(service);
  if (known == serving_.end()) return v1::SERVING_STATUS_SERVICE_UNKNOWN;
  return known->second ? v1::SERVING_STATUS_SERVING : v1::SERVING_STATUS_NOT_SERVING;
}

void Health::tell() {
  changed_.set();  // Those who watch now go on; who watches later waits for the next change.
  changed_.clear();
}

async::Task<v1::CheckResponse> Health::check(v1::CheckRequest request, Context) {
  const v1::ServingStatus status = state(request.service());
  if (status == v1::SERVING_STATUS_SERVICE_UNKNOWN) {
    throw Error(StatusCode::not_found, "this server has no service " + request.service());
  }
  v1::CheckResponse response;
  response.set_status(status);
  co_return response;
}

async::Task<> Health::watch(v1::WatchRequest request, Context, Writer<v1::WatchResponse> writer) {
  v1::WatchResponse told;
  while (true) {
    const v1::ServingStatus status = state(request.service());
    if (status == told.status()) {
      co_await changed_;
      continue;
    }
    told.set_status(status);
    co_await writer.write(told);
  }
}

}  // namespace rpc
