#include "bank/tokens.h"

#include <algorithm>
#include <iterator>

#include <sodium.h>

namespace bank {

Tokens::Token::~Token() { sodium_memzero(bytes.data(), bytes.size()); }

std::string Tokens::issue(std::string_view card_number, std::string_view terminal_id) {
  drop_expired();
  while (issued_.size() >= tokens_max) drop_oldest();

  Token& token = token_of(card_number, terminal_id);
  random_.fill(token.bytes);
  token.issued_at = loop_.now();
  token.number = number_next_++;
  issued_.push_back(Issued{std::string(card_number), token.number, token.issued_at});
  return {reinterpret_cast<const char*>(token.bytes.data()), token.bytes.size()};
}

bool Tokens::proves(std::string_view token, std::string_view card_number,
                    std::string_view terminal_id) const {
  const Token* const found = find(card_number, terminal_id);
  if (found == nullptr || token.size() != token_size) return false;
  if (loop_.now() - found->issued_at >= token_life) return false;
  return sodium_memcmp(found->bytes.data(), token.data(), token_size) == 0;
}

void Tokens::forget(std::string_view card_number) {
  const auto card = tokens_.find(card_number);
  if (card == tokens_.end()) return;
  size_ -= static_cast<std::size_t>(std::ranges::distance(card->second));
  tokens_.erase(card);
}

const Tokens::Token* Tokens::find(std::string_view card_number,
                                  std::string_view terminal_id) const {
  const auto card = tokens_.find(card_number);
  if (card == tokens_.end()) return nullptr;
  const auto token = std::ranges::find(card->second, terminal_id, &Token::terminal);
  return token == card->second.end() ? nullptr : &*token;
}

Tokens::Token& Tokens::token_of(std::string_view card_number, std::string_view terminal_id) {
  OfCard& tokens = tokens_[std::string(card_number)];
  const auto known = std::ranges::find(tokens, terminal_id, &Token::terminal);
  if (known != tokens.end()) return *known;
  ++size_;
  return tokens.emplace_front(terminal_id);
}

void Tokens::drop_oldest() {
  const Issued& oldest = issued_.front();
  const auto card = tokens_.find(oldest.card);
  if (card != tokens_.end()) {
    const auto is_it = [&](const Token& token) { return token.number == oldest.number; };
    size_ -= card->second.remove_if(is_it);
    if (card->second.empty()) tokens_.erase(card);
  }
  issued_.pop_front();
}

void Tokens::drop_expired() {
  while (!issued_.empty() && loop_.now() - issued_.front().at >= token_life) drop_oldest();
}

}  // namespace bank
