// Simulation: one seed's run of the pair, its faults, and what the oracle says of it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "machines.h"
#include "office.h"
#include "town.h"
#include "world.h"

namespace sim {

// What happened in a run: so that nobody believes a simulation in which nothing did.
struct Tally {
  std::uint64_t crashes = 0;
  std::uint64_t power_cuts = 0;
  std::uint64_t disk_errors = 0;
  std::uint64_t cuts = 0;
  std::uint64_t paid = 0;
  std::uint64_t declined = 0;
  std::uint64_t suspended = 0;
  std::uint64_t deposits = 0;
  std::uint64_t transfers = 0;
  std::uint64_t changes_of_pin = 0;
  std::uint64_t emptyings = 0;
  std::uint64_t restores = 0;
  std::uint64_t rewinds = 0;      // Of the ATM's journal.
  std::uint64_t odd_answers = 0;  // Of a bank of another version.
  std::uint64_t records = 0;
  std::uint64_t observed = 0;

  Tally& operator+=(const Tally& other);
};

struct Run {
  std::uint64_t seed = 0;
  // Which promise did not hold, in a sentence; nullopt if every one did.
  std::optional<std::string> broken;
  // Of everything that happened, in its order: equal runs have equal digests.
  std::uint64_t digest = 0;
  std::vector<std::string> story;
  Tally tally;
};

struct RunOptions {
  Parts parts = {};
  bool keeps_story = false;
};

// `folder` is for this process alone: lock files and the names of what is simulated.
Run simulate(std::uint64_t seed, const std::string& folder, const RunOptions& options = {});

// What the oracle is shown when a run is over and both daemons are gone.
struct Evidence {
  const std::string& bank_data;
  const std::string& atm_data;
  const std::map<std::string, std::unique_ptr<Hardware>>& terminals;
  const std::vector<std::unique_ptr<Errand>>& errands;
  const std::vector<std::unique_ptr<Emptying>>& emptyings;
  const History history;
  // When an old backup was put in the place of the bank's files. Then the books heal as far as the ATM can tell, and of the rest
  // the bank lists what it refused.
  std::optional<Instant> restored_at;
  const std::map<std::string, words::AuditResponse>& audits;
  const std::map<std::string, words::CountResponse>& counts;
};

// The first promise that does not hold, in a sentence.
std::optional<std::string> find_broken_promise(const Evidence& evidence, Tally& tally);

}  // namespace sim
