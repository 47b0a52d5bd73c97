// Rewind: an ATM's journal that goes back, as when an older copy of it is put in its place or its log loses its end.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "devices.h"
#include "disk.h"
#include "world.h"

namespace sim {

// Keeps the ATM's disk as it is when a withdrawal has just been written down as REQUESTED, or a deposit as COUNTED or POSTING. While
// nothing else begins, that may be put in the place of what came after: of what the journal then lacks, it has the beginning.
class Rewind {
 public:
  using Terminals = std::map<std::string, std::unique_ptr<Hardware>>;
  Rewind(World& world, Disk& disk, const Terminals& terminals)
      : world_(world), disk_(disk), terminals_(terminals) {}

  // From now on; `on_kept` is called with the number of each state that is kept.
  void begin(std::function<void(std::uint64_t number)> on_kept);
  // Sees what the ATM sends to the bank. Nothing is changed.
  void hear(std::string_view frames);
  // Once, while the ATM does not run. False: more began meanwhile.
  bool can_go_back(std::uint64_t number) const;
  void go_back();

 private:
  using Files = std::map<std::string, std::string>;
  void keep(const std::string& change, bool is_before_the_last_sync);
  std::size_t acts_of_staff() const;

  World& world_;
  Disk& disk_;
  const Terminals& terminals_;
  std::function<void(std::uint64_t number)> on_kept_;
  Files before_sync_;
  Files kept_;
  std::string kept_for_;  // The customer's id.
  std::uint64_t number_ = 0;
  std::size_t acts_when_kept_ = 0;
};

}  // namespace sim
