// Tokens: what the bank remembers of PINs that were right.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "async/loop.h"
#include "async/random.h"
#include "async/time.h"
#include "ledger/index.h"
#include "ledger/operation.h"

namespace bank {

inline constexpr async::Duration token_life = std::chrono::minutes(15);
inline constexpr std::size_t token_size = 16;
// The oldest goes when there are more: its customer enters the PIN again.
inline constexpr std::size_t tokens_max = 100'000;

// A token proves that the PIN of a card was right, at one terminal, not long ago. In memory only: a
// restart forgets them all. Owned by main or a test; loop thread only.
//
// Always true: a card has at most one token a terminal, and none that is older than token_life is
// believed.
class Tokens {
 public:
  Tokens(async::Loop& loop, async::Random& random) : loop_(loop), random_(random) {}

  // A new one, in place of the one that the card, one of the books, had at this terminal.
  std::string issue(std::string_view card_number, std::string_view terminal_id);
  // Takes the same time wherever the token differs.
  bool proves(std::string_view token, std::string_view card_number,
              std::string_view terminal_id) const;
  // The card was blocked, locked or replaced: none of its tokens is worth anything any more.
  void forget(std::string_view card_number);

  std::size_t size() const { return size_; }

 private:
  using Slot = std::uint32_t;
  static constexpr Slot none = UINT32_MAX;

  // What a request is compared with lies together: a token is looked up with each.
  struct Token {
    Token() = default;
    Token(Token&&) noexcept = default;
    Token& operator=(Token&&) noexcept = default;
    ~Token();

    std::array<std::byte, token_size> bytes{};
    async::Instant issued_at;
    std::uint64_t number = 0;  // 0: the slot is free.
    // Another terminal's token of the same card; of a free slot, another free one.
    Slot next = none;
    ledger::CardDigits card;
    std::string terminal;
  };
  struct Issued {
    Slot slot = none;
    std::uint64_t number = 0;
    async::Instant at;
  };

  // The first of a card's tokens, or none.
  Slot first_of(std::string_view card_number) const;
  Slot find(std::string_view card_number, std::string_view terminal_id) const;
  Slot add(std::string_view card_number, std::string_view terminal_id);
  void remove(Slot slot);
  void free(Slot slot);
  void drop_oldest();
  void drop_expired();

  async::Loop& loop_;
  async::Random& random_;
  std::vector<Token> tokens_;
  ledger::NumberIndex first_by_card_;
  Slot free_ = none;
  std::size_t size_ = 0;
  std::deque<Issued> issued_;  // Oldest first. May name tokens that were replaced or forgotten.
  std::uint64_t number_next_ = 1;
};

}  // namespace bank
