// ServiceWatch: logs when a terminal goes out of service, a device fails or the disk fills up, and
// when that is over.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>

#include "async/loop.h"
#include "atm/atm_service.h"
#include "atm/machinery.h"
#include "rpc/health.h"

namespace atm {

// Looks at the terminals whenever the bank's standing changes, and every service_look: devices and
// staff change them too. Each change is a line of the log; the health of atm.v1.AtmService is "not
// serving", with the reasons, while no terminal serves customers. Owned by the Atm; loop thread
// only; outlived by everything that it is given.
class ServiceWatch {
 public:
  ServiceWatch(Machinery& machinery, const Terminals& terminals)
      : machinery_(machinery), terminals_(terminals) {}

  // Until it is cancelled.
  Task<> run();
  // From now on this health is told, at once for the first time. It dies after the last turn of the
  // loop.
  void tell(rpc::Health& health);

 private:
  void look();
  void tell_health();
  void note(const std::string& terminal, const Terminal::Service& service);
  void note_device(const std::string& terminal, const std::string& device,
                   const std::optional<std::string>& why);
  void note_disk();

  Machinery& machinery_;
  const Terminals& terminals_;
  rpc::Health* health_ = nullptr;
  std::map<std::string, std::string> told_;  // The reason by terminal; empty: in service.
  // Why a device cannot be used, by terminal and device.
  std::map<std::pair<std::string, std::string>, std::optional<std::string>> failing_;
  bool has_room_ = true;
};

inline constexpr async::Duration service_look = std::chrono::seconds(1);

}  // namespace atm
