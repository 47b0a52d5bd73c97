#include "rpc/health.h"

#include <utility>

namespace rpc {

void Health::set_serving(std::string_view service, bool serving, std::string reason) {
  const auto [known, is_new] = states_.try_emplace(std::string(service));
  const bool changed = is_new || known->second.serving != serving;
  known->second = {.serving = serving, .reason = std::move(reason)};
  if (changed) tell();
}

void Health::set_all_serving(bool serving) {
  for (auto& [service, state] : states_) state = {.serving = serving, .reason = ""};
  tell();
}

bool Health::is_serving(std::string_view service) const {
  const auto known = states_.find(service);
  return known != states_.end() && known->second.serving;
}

template <typename Response>
bool Health::fill(std::string_view service, Response& response) const {
  const v1::ServingStatus before = response.status();
  const auto known = states_.find(service);
  if (known == states_.end()) {
    response.set_status(v1::SERVING_STATUS_SERVICE_UNKNOWN);
  } else {
    response.set_status(known->second.serving ? v1::SERVING_STATUS_SERVING
                                              : v1::SERVING_STATUS_NOT_SERVING);
    response.set_reason(known->second.reason);
  }
  return response.status() != before;
}

void Health::tell() {
  changed_.set();  // Those who watch now go on; who watches later waits for the next change.
  changed_.clear();
}

async::Task<v1::CheckResponse> Health::check(v1::CheckRequest request, Context) {
  v1::CheckResponse response;
  fill(request.service(), response);
  if (response.status() == v1::SERVING_STATUS_SERVICE_UNKNOWN) {
    throw Error(StatusCode::not_found, "this server has no service " + request.service());
  }
  co_return response;
}

async::Task<> Health::watch(v1::WatchRequest request, Context, Writer<v1::WatchResponse> writer) {
  v1::WatchResponse told;
  while (true) {
    const bool is_new = fill(request.service(), told);
    if (is_new) {
      co_await writer.write(told);
    } else {
      co_await changed_;
    }
  }
}

}  // namespace rpc
