// Plan: what a seed decides before anything happens.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "atm/settings.h"
#include "town.h"
#include "world.h"

namespace sim {

inline constexpr std::size_t trouble_kinds = 13;

// In some runs the bank is put back to what it was a while before.
struct Restore {
  Duration backup_after{};
  Duration restore_after{};
  // Others have made changes again before the ATM is heard, and of two terminals only one is signed on at first.
  bool is_busy = false;
  // From the backup on until it is restored the dispensers cannot say what they presented.
  bool is_unsure = false;
};

struct Plan {
  explicit Plan(World& world);

  std::vector<std::string> terminals;
  std::vector<std::string> accounts;
  Wallet cards;
  Duration faults_for{};
  Duration trouble_every{};
  atm::Settings settings{};
  int emptyings_per_terminal = 0;
  std::optional<Restore> restore;
  // When a deposit is next counted, bank and acceptor fall silent. Then its account is closed before either is heard again, or the
  // acceptor is heard first, and staff empty the terminal before the bank is.
  std::optional<Duration> silence_after;
  bool is_emptied_in_silence = false;
  // From when on the ATM's journal may go back, once, to where a change was just written down; then neither of those two happens.
  std::optional<Duration> rewind_after;
  // Of each kind of trouble; a run has its own mixture.
  std::array<std::uint64_t, trouble_kinds> weights{};
};

// What libsodium draws (salts, the bank's instance id) is the same for the same seed, too.
void seed_sodium(async::SeededRandom& source);

}  // namespace sim
