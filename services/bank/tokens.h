// Tokens: what the bank remembers of PINs that were right.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <forward_list>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "async/loop.h"
#include "async/random.h"
#include "async/time.h"

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

  // A new one, in place of the one that the card had at this terminal.
  std::string issue(std::string_view card_number, std::string_view terminal_id);
  // Takes the same time wherever the token differs.
  bool proves(std::string_view token, std::string_view card_number,
              std::string_view terminal_id) const;
  // The card was blocked, locked or replaced: none of its tokens is worth anything any more.
  void forget(std::string_view card_number);

  std::size_t size() const { return size_; }

 private:
  struct Token {
    explicit Token(std::string_view at_terminal) : terminal(at_terminal) {}
    Token(const Token&) = delete;
    Token& operator=(const Token&) = delete;
    ~Token();
    std::string terminal;
    std::array<std::byte, token_size> bytes{};
    async::Instant issued_at;
    std::uint64_t number = 0;
  };
  // A card's: one for each terminal where its PIN was right, so hardly ever more than one.
  using OfCard = std::forward_list<Token>;
  struct CardHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view card) const noexcept {
      return std::hash<std::string_view>()(card);
    }
  };
  struct Issued {
    std::string card;
    std::uint64_t number = 0;
    async::Instant at;
  };

  const Token* find(std::string_view card_number, std::string_view terminal_id) const;
  Token& token_of(std::string_view card_number, std::string_view terminal_id);
  void drop_oldest();
  void drop_expired();

  async::Loop& loop_;
  async::Random& random_;
  // Asked with every request, and never listed: no order depends on the hash.
  std::unordered_map<std::string, OfCard, CardHash, std::equal_to<>> tokens_;
  std::size_t size_ = 0;
  std::deque<Issued> issued_;  // Oldest first. May name tokens that were replaced or forgotten.
  std::uint64_t number_next_ = 1;
};

}  // namespace bank
