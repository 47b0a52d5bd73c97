#include "atm/audit.h"

#include <set>

namespace atm {

namespace {

std::string money(Cents amount, Currency currency) {
  return ledger::to_text({.amount = amount, .currency = currency});
}

std::set<Cents> denominations(std::initializer_list<const Notes*> heaps) {
  std::set<Cents> all;
  for (const Notes* heap : heaps) {
    for (const Notes::Entry& entry : *heap) all.insert(entry.denomination);
  }
  return all;
}

}  // namespace

Books books_of(const Stock& stock) {
  return {.loaded = stock.notes(Pot::loaded).amount(),
          .deposited = stock.notes(Pot::deposited).amount(),
          .in_cassettes = stock.notes(Pot::cassette).amount(),
          .in_deposit_bin = stock.notes(Pot::deposit_bin).amount(),
          .rejected = stock.notes(Pot::rejected).amount(),
          .presented = stock.notes(Pot::presented).amount(),
          .unknown = stock.notes(Pot::unknown).amount(),
          .unloaded = stock.notes(Pot::unloaded).amount()};
}

std::vector<std::string> differences_inside(const Stock& stock, Currency currency) {
  const Notes came_in = stock.notes(Pot::loaded) + stock.notes(Pot::deposited);
  const Notes accounted = stock.notes(Pot::cassette) + stock.notes(Pot::deposit_bin) +
                          stock.notes(Pot::rejected) + stock.notes(Pot::presented) +
                          stock.notes(Pot::unknown) + stock.notes(Pot::unloaded);
  std::vector<std::string> differences;
  for (const Cents denomination : denominations({&came_in, &accounted})) {
    const std::int64_t in = came_in.of(denomination);
    const std::int64_t found = accounted.of(denomination);
    if (in == found) continue;
    differences.push_back("Of notes of " + money(denomination, currency) + ", " +
                          std::to_string(in) + " were loaded or deposited, but " +
                          std::to_string(found) + " are accounted for.");
  }
  return differences;
}

std::optional<std::string> difference_with_bank(const Stock& stock, Cents at_bank,
                                                Currency currency) {
  const Cents inside = stock.inside();
  if (inside == at_bank) return std::nullopt;
  const std::string says = "The ATM holds " + money(inside, currency) +
                           ", but the bank's cash account says " + money(at_bank, currency);
  const std::optional<Cents> difference = ledger::minus(inside, at_bank);
  if (!difference) return says + ".";
  return says + ": a difference of " + money(*difference, currency) + ".";
}

std::vector<std::string> differences_found(const std::string& place, const Notes& expected,
                                           const Notes& counted, Currency currency) {
  std::vector<std::string> differences;
  for (const Cents denomination : denominations({&expected, &counted})) {
    if (expected.of(denomination) == counted.of(denomination)) continue;
    const std::int64_t due = expected.of(denomination);
    const std::int64_t there = counted.of(denomination);
    differences.push_back("The " + place + " should hold " + std::to_string(due) +
                          (due == 1 ? " note of " : " notes of ") + money(denomination, currency) +
                          ", but " + std::to_string(there) +
                          (there == 1 ? " is there." : " are there."));
  }
  return differences;
}

}  // namespace atm
