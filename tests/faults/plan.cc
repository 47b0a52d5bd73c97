#include "plan.h"

#include <span>

#include <sodium.h>

#include "atm/denominations.h"

namespace sim {
namespace {

async::SeededRandom* sodium_source = nullptr;
const char* sodium_name() { return "simulated"; }
std::uint32_t sodium_random() { return static_cast<std::uint32_t>(sodium_source->next()); }
void sodium_fill(void* const to, const std::size_t size) {
  sodium_source->fill(std::span(static_cast<std::byte*>(to), size));
}

}  // namespace

void seed_sodium(async::SeededRandom& source) {
  static randombytes_implementation implementation = {.implementation_name = sodium_name,
                                                      .random = sodium_random,
                                                      .stir = nullptr,
                                                      .uniform = nullptr,
                                                      .buf = sodium_fill,
                                                      .close = nullptr};
  sodium_source = &source;
  randombytes_set_implementation(&implementation);
}

Plan::Plan(World& world) {
  terminals = {"atm-1"};
  if (world.chance(300)) terminals.push_back("atm-2");
  const std::uint64_t account_count = 2 + world.below(2);
  for (std::uint64_t i = 0; i < account_count; ++i) accounts.push_back(fmt::format("a{}", i));
  const std::uint64_t card_count = 1 + world.below(4);
  for (std::uint64_t i = 0; i < card_count; ++i) {
    cards.push_back({.number = fmt::format("400000000000000{}", i),
                     .account = accounts[world.below(account_count)],
                     .pin = "4826"});
  }
  faults_for = world.between(10s, 60s);
  trouble_every = world.between(300ms, 8s);
  // One run in eight is calm, so that what never fails is tried too.
  if (world.chance(125)) trouble_every = std::chrono::hours(1);
  settings.currency = atm::Currency::of("EUR");
  settings.denominations = *atm::usual_denominations(settings.currency);
  settings.hold_time_to_live = std::chrono::milliseconds(1500 + world.below(60'000));
  // Few kinds, so that some of them often meet.
  for (std::uint64_t& weight : weights) weight = world.chance(400) ? 0 : world.below(10);
  emptyings_per_terminal = static_cast<int>(world.below(7));
  if (world.chance(200)) {
    silence_after = world.between(Duration(0), faults_for / 2);
    is_emptied_in_silence = world.chance(400);
  }
  if (!silence_after && world.chance(250)) {
    rewind_after = world.between(Duration(0), faults_for / 2);
    return;
  }
  if (!world.chance(200)) return;
  restore = Restore();
  restore->backup_after = world.between(Duration(0), faults_for * 2 / 3);
  restore->restore_after = world.between(restore->backup_after + 500ms, faults_for);
  // In half of them hardly a sign-on lies between, which would tell that the bank went back.
  restore->is_busy = world.chance(500);
  restore->is_unsure = world.chance(300);
  if (!restore->is_busy) return;
  restore->restore_after = restore->backup_after + world.between(500ms, 3s);
  if (terminals.size() == 1) terminals.push_back("atm-2");
}

}  // namespace sim
