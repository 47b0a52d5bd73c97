// Version: a bank of another version than the ATM, as far as the ATM can tell.
#pragma once

#include <string>
#include <string_view>

#include "world.h"

namespace sim {

// It does what it is asked, and answers some of it with an outcome that the ATM does not know: none at all, as a bank that is older
// than the method's outcome, or one in a field that came later.
class OtherVersion {
 public:
  explicit OtherVersion(World& world) : world_(world) {}

  // Of a thousand answers so many are such. 0: the bank is of the ATM's version.
  std::uint64_t permille = 0;
  std::uint64_t answered() const { return answered_; }

  std::string answer(std::string_view frames);

 private:
  World& world_;
  std::uint64_t answered_ = 0;
};

}  // namespace sim
