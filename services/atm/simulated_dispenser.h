// SimulatedDispenser: a dispenser whose notes are rows of a file.
#pragma once

#include <filesystem>
#include <memory>

#include "async/loop.h"
#include "atm/device_world.h"
#include "atm/devices.h"

namespace atm {

// Its file is the physical world (rule 22). Notes are taken one by one in the order of the picks; a
// jam leaves the note that it tears in the reject bin and ends the dispense. Loop thread only.
class SimulatedDispenser final : public Dispenser {
 public:
  // Throws StorageError.
  SimulatedDispenser(async::Loop& loop, const std::filesystem::path& path);

  Task<Told<Dispensed>> dispense(OperationId id, Picks picks) override;
  Task<Told<Dispensed>> presented(OperationId id) override;
  Task<Told<Cassette>> load(OperationId id, Pick notes) override;
  Task<Told<Notes>> unload(OperationId id) override;
  Task<Told<Inside>> count() override;
  std::optional<std::string> out_of_order() const override;
  Task<> set_fault(Fault fault) override;

 private:
  async::Loop& loop_;
  std::shared_ptr<DeviceWorld> world_;
  Fault fault_;
};

}  // namespace atm
