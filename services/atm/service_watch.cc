#include "atm/service_watch.h"

#include "async/scope.h"

namespace atm {

Task<> ServiceWatch::run() {
  while (true) {
    Task<> changed = machinery_.bank.until_changed();
    const async::Deadline until = machinery_.loop.in(service_look);
    co_await async::with_deadline(machinery_.loop, until, std::move(changed));
    look();
  }
}

void ServiceWatch::tell(rpc::Health& health) {
  health_ = &health;
  tell_health();
}

void ServiceWatch::look() {
  for (const auto& [id, terminal] : terminals_) note(id, terminal->service());
  tell_health();
}

void ServiceWatch::tell_health() {
  // A server that ends says so itself.
  if (health_ == nullptr || !health_->is_serving("")) return;
  bool any_serves = false;
  std::string reasons;
  for (const auto& [id, terminal] : terminals_) {
    const Terminal::Service service = terminal->service();
    if (service.state == v1::SERVICE_STATE_IN_SERVICE) any_serves = true;
    if (!reasons.empty()) reasons += "; ";
    if (terminals_.size() > 1) reasons += id + ": ";
    reasons += service.reason;
  }
  health_->set_serving("atm.v1.AtmService", any_serves, any_serves ? "" : reasons);
}

void ServiceWatch::note(const std::string& terminal, const Terminal::Service& service) {
  const auto [told, is_first] = told_.try_emplace(terminal);
  const bool serves = service.state == v1::SERVICE_STATE_IN_SERVICE;
  if (!is_first && told->second == service.reason) return;
  if (serves) {
    machinery_.log.info(is_first ? "in service" : "in service again", {{"terminal", terminal}});
  } else {
    machinery_.log.warn("out of service", {{"terminal", terminal}, {"reason", service.reason}});
  }
  told->second = service.reason;
}

}  // namespace atm
