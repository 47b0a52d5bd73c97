#include "bank/tokens.h"

#include <utility>

#include <sodium.h>

namespace bank {

Tokens::Token::~Token() { sodium_memzero(bytes.data(), bytes.size()); }

std::string Tokens::issue(std::string_view card_number, std::string_view terminal_id) {
  drop_expired();
  while (issued_.size() >= tokens_max) drop_oldest();

  const Slot known = find(card_number, terminal_id);
  const Slot slot = known != none ? known : add(card_number, terminal_id);
  Token& token = tokens_[slot];
  random_.fill(token.bytes);
  token.issued_at = loop_.now();
  token.number = number_next_++;
  issued_.push_back(Issued{slot, token.number, token.issued_at});
  return {reinterpret_cast<const char*>(token.bytes.data()), token.bytes.size()};
}

bool Tokens::proves(std::string_view token, std::string_view card_number,
                    std::string_view terminal_id) const {
  const Slot slot = find(card_number, terminal_id);
  if (slot == none || token.size() != token_size) return false;
  const Token& found = tokens_[slot];
  if (loop_.now() - found.issued_at >= token_life) return false;
  static_assert(token_size == crypto_verify_16_BYTES);
  return crypto_verify_16(reinterpret_cast<const unsigned char*>(found.bytes.data()),
                          reinterpret_cast<const unsigned char*>(token.data())) == 0;
}

void Tokens::forget(std::string_view card_number) {
  Slot slot = first_of(card_number);
  if (slot == none) return;
  first_by_card_.erase(ledger::index_tag(card_number), slot);
  while (slot != none) free(std::exchange(slot, tokens_[slot].next));
}

Tokens::Slot Tokens::first_of(std::string_view card_number) const {
  const auto is_it = [&](Slot slot) { return tokens_[slot].card.view() == card_number; };
  return first_by_card_.find(ledger::index_tag(card_number), is_it).value_or(none);
}

Tokens::Slot Tokens::find(std::string_view card_number, std::string_view terminal_id) const {
  Slot slot = first_of(card_number);
  while (slot != none && tokens_[slot].terminal != terminal_id) slot = tokens_[slot].next;
  return slot;
}

Tokens::Slot Tokens::add(std::string_view card_number, std::string_view terminal_id) {
  const Slot slot = free_ != none ? free_ : static_cast<Slot>(tokens_.size());
  if (slot == tokens_.size()) tokens_.emplace_back();
  Token& token = tokens_[slot];
  if (slot == free_) free_ = token.next;
  token.card = card_number;
  token.terminal = terminal_id;
  token.next = none;
  ++size_;

  // It comes second, so that the index stays as it is.
  const Slot first = first_of(card_number);
  if (first == none) {
    first_by_card_.insert(ledger::index_tag(card_number), slot);
  } else {
    token.next = std::exchange(tokens_[first].next, slot);
  }
  return slot;
}

void Tokens::remove(Slot slot) {
  const Token& token = tokens_[slot];
  const std::uint32_t tag = ledger::index_tag(token.card);
  Slot before = first_of(token.card);
  if (before == slot) {
    first_by_card_.erase(tag, slot);
    if (token.next != none) first_by_card_.insert(tag, token.next);
  } else {
    while (tokens_[before].next != slot) before = tokens_[before].next;
    tokens_[before].next = token.next;
  }
  free(slot);
}

void Tokens::free(Slot slot) {
  tokens_[slot] = Token();
  tokens_[slot].next = std::exchange(free_, slot);
  --size_;
}

void Tokens::drop_oldest() {
  const Issued oldest = issued_.front();
  if (tokens_[oldest.slot].number == oldest.number) remove(oldest.slot);
  issued_.pop_front();
}

void Tokens::drop_expired() {
  while (!issued_.empty() && loop_.now() - issued_.front().at >= token_life) drop_oldest();
}

}  // namespace bank
