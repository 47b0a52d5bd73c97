// Version: a bank of another version than the ATM, as far as the ATM can tell.
#pragma once

#include <cstdint>
#include <set>
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

// A bank that has no time for a sign-on, as when it has just started.
class HurriedBank {
 public:
  explicit HurriedBank(World& world) : world_(world) {}

  // The next sign-on is answered, and the one after it refused: what one of two terminals hears, the other does not.
  void refuse_a_second_sign_on() { sign_ons_to_refusal_ = 2; }

  // Sees what it is asked. Nothing is changed.
  std::string hear(std::string_view frames);
  std::string answer(std::string_view frames);

 private:
  World& world_;
  std::set<std::uint64_t> sign_ons_;  // Not answered yet.
  int sign_ons_to_refusal_ = 0;
};

}  // namespace sim
