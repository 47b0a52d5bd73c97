#include "atm/service_watch.h"

#include <utility>

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
  note_disk();
  for (const auto& [id, terminal] : terminals_) {
    note_device(id, "dispenser", terminal->dispenser().out_of_order());
    note_device(id, "acceptor", terminal->acceptor().out_of_order());
    note(id, terminal->service());
  }
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

void ServiceWatch::note_device(const std::string& terminal, const std::string& device,
                               const std::optional<std::string>& why) {
  std::optional<std::string>& known = failing_[{terminal, device}];
  if (known == why) return;
  known = why;
  if (why) {
    machinery_.log.warn("a device fails",
                        {{"terminal", terminal}, {"device", device}, {"reason", *why}});
  } else {
    machinery_.log.info("a device works again", {{"terminal", terminal}, {"device", device}});
  }
}

void ServiceWatch::note_disk() {
  const DiskRoom& disk = machinery_.disk;
  const bool had_room = std::exchange(has_room_, disk.is_left());
  if (had_room && !has_room_) {
    machinery_.log.warn(
        "the disk is nearly full: nothing new is begun",
        {{"free_bytes", disk.free_bytes()}, {"reserve_bytes", disk.reserve_bytes()}});
  } else if (!had_room && has_room_) {
    machinery_.log.info("the disk has room again");
  }
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
