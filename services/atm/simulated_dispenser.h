// SimulatedDispenser: a dispenser whose notes are rows of the devices' world.
#pragma once

#include <optional>
#include <string>

#include "async/loop.h"
#include "atm/device_world.h"
#include "atm/devices.h"

namespace atm {

// The world is the physical one (rule 22). Notes are taken one by one in the order of the picks; a
// jam leaves the note that it tears in the reject bin and ends the dispense. Loop thread only.
class SimulatedDispenser final : public Dispenser {
 public:
  // Its rows are those of `terminal`. Throws StorageError.
  SimulatedDispenser(async::Loop& loop, DeviceWorld& world, const std::string& terminal);

  Task<Told<Dispensed>> dispense(OperationId id, Picks picks) override;
  Task<Told<Dispensed>> presented(OperationId id) override;
  Task<Told<Cassette>> load(OperationId id, Pick notes) override;
  Task<Told<Notes>> unload(OperationId id) override;
  Task<Told<Inside>> count() override;
  std::optional<std::string> out_of_order() const override;
  Task<> set_fault(Fault fault) override;

 private:
  async::Loop& loop_;
  DeviceWorld& world_;
  std::string name_;
  Fault fault_;
};

}  // namespace atm
