// SimulatedAcceptor: an acceptor whose escrow and bin are rows of the devices' world.
#pragma once

#include <optional>
#include <string>

#include "async/loop.h"
#include "atm/device_world.h"
#include "atm/devices.h"

namespace atm {

// The world is the physical one. A jam counts so many notes and hands the others back at the slot;
// with "present unknown" it does what it is told but cannot say where the notes are until the fault
// is cleared. Loop thread only.
class SimulatedAcceptor final : public Acceptor {
 public:
  // Its rows are those of `terminal`. Throws StorageError.
  SimulatedAcceptor(async::Loop& loop, DeviceWorld& world, const std::string& terminal);

  Task<Told<Accepted>> accept(OperationId id, Notes notes) override;
  Task<Told<Accepted>> keep(OperationId id) override;
  Task<Told<Accepted>> give_back(OperationId id) override;
  Task<Told<Accepted>> where(OperationId id) override;
  Task<Told<Inside>> count() override;
  Task<Told<Notes>> unload(OperationId id) override;
  std::optional<std::string> out_of_order() const override;
  Task<> set_fault(Fault fault) override;

 private:
  Task<Told<Accepted>> move(OperationId id, Place to);
  Accepted as_told(Accepted truth) const;

  async::Loop& loop_;
  DeviceWorld& world_;
  std::string name_;
  Fault fault_;
};

}  // namespace atm
