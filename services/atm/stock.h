// Stock: where every note of a terminal is, as the books have it (rule 20).
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <map>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "atm/mix.h"
#include "atm/notes.h"

namespace atm {

// UNLOADED, LOADED and DEPOSITED are sums over the terminal's life, the others are places. FOUND are
// notes of the unknown that an emptying brought to light: they are counted in UNLOADED, and wait
// here, beside the sums, for the decision on their withdrawal.
enum class Pot : std::uint8_t {
  cassette,
  deposit_bin,
  rejected,
  presented,
  unknown,
  unloaded,
  loaded,
  deposited,
  found,
};
inline std::span<const std::string_view> names_of(Pot) {
  static constexpr std::array<std::string_view, 9> names = {"CASSETTE",  "DEPOSIT_BIN", "REJECTED",
                                                            "PRESENTED", "UNKNOWN",     "UNLOADED",
                                                            "LOADED",    "DEPOSITED",   "FOUND"};
  return names;
}

// One count of the stock, as the journal keeps it.
struct StockRow {
  std::string terminal = {};
  Pot pot = Pot::cassette;
  std::uint32_t position = 0;  // Of a cassette; 0 elsewhere.
  Cents denomination = {};
  std::int64_t count = 0;

  static constexpr std::string_view table = "stock";
  static constexpr int key_columns = 4;
  static constexpr void fields(auto&& field) {
    field("terminal", &StockRow::terminal);
    field("pot", &StockRow::pot);
    field("position", &StockRow::position);
    field("denomination", &StockRow::denomination);
    field("count", &StockRow::count);
  }
};

// One terminal's counts. Owned by its Terminal; loop thread only. Every change is taken from here
// into the journal entry of the act that it belongs to, before anything is awaited.
//
// Invariant: loaded + deposited = in cassettes + deposit bin + rejected + presented + unknown +
// unloaded, of every denomination, as long as the devices agree with the books; unknown + found =
// what is planned in the withdrawals that are not decided yet.
class Stock {
 public:
  explicit Stock(std::string terminal) : terminal_(std::move(terminal)) {}

  void restore(const StockRow& row);

  // Staff put notes into a cassette.
  void load(const Pick& notes);
  // The dispenser moved notes to the customer, and some to the reject bin.
  void dispense(const Picks& presented, const Picks& rejected);
  // Nobody knows what became of these.
  void lose_track(const Picks& picks);
  // The operator decided which of the unknown notes the customer got. The others stayed inside, until
  // staff found them; those that were not found yet are in their cassettes, where the dispenser says
  // that it never took them, else in the reject bin.
  void decide(const Picks& unknown, const Notes& presented, bool never_taken);
  // The acceptor kept a customer's notes.
  void keep(const Notes& notes);
  // Staff emptied everything, and found these. What is more than there should be is of the unknown
  // notes, as far as there are any: those had stayed inside. Where no note had ever moved, the
  // journal is younger than the notes, which count as loaded.
  void unload(const Notes& found);

  // One for each position ever loaded, with what it holds, or held last.
  std::vector<Cassette> cassettes() const;
  Notes notes(Pot pot) const;
  // What the bank believes is inside: everything that no customer got and staff did not take.
  Cents inside() const;

  // No note has ever moved here.
  bool is_untouched() const { return counts_.empty(); }

  // The counts that changed since the last call.
  std::vector<StockRow> take_changes();

 private:
  struct Key {
    Pot pot;
    std::uint32_t position;
    Cents denomination;
    friend auto operator<=>(const Key&, const Key&) = default;
  };
  void add(Pot pot, std::uint32_t position, Cents denomination, std::int64_t count);
  void add(Pot pot, const Notes& notes);
  // At most what is there; says how many.
  std::int64_t take(Pot pot, Cents denomination, std::int64_t count);
  void empty(Pot pot);

  std::string terminal_;
  std::map<Key, std::int64_t> counts_;
  std::set<Key> changed_;
};

}  // namespace atm
