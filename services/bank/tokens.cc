#include "bank/tokens.h"

#include <sodium.h>

namespace bank {

Tokens::Token::~Token() { sodium_memzero(bytes.data(), bytes.size()); }

std::string Tokens::issue(std::string_view card_number, std::string_view terminal_id) {
  drop_expired();
  while (issued_.size() >= tokens_max) drop_oldest();

  Token& token = tokens_[Name(card_number, terminal_id)];
  random_.fill(token.bytes);
  token.issued_at = loop_.now();
  token.number = number_next_++;
  issued_.push_back(Issued{Name(card_number, terminal_id), token.number, token.issued_at});
  return {reinterpret_cast<const char*>(token.bytes.data()), token.bytes.size()};
}

bool Tokens::proves(std::string_view token, std::string_view card_number,
                    std::string_view terminal_id) const {
  const auto found = tokens_.find(NameView(card_number, terminal_id));
  if (found == tokens_.end() || token.size() != token_size) return false;
  if (loop_.now() - found->second.issued_at >= token_life) return false;
  return sodium_memcmp(found->second.bytes.data(), token.data(), token_size) == 0;
}

void Tokens::forget(std::string_view card_number) {
  auto token = tokens_.lower_bound(NameView(card_number, std::string_view()));
  while (token != tokens_.end() && token->first.first == card_number) token = tokens_.erase(token);
}

void Tokens::drop_oldest() {
  const auto found = tokens_.find(issued_.front().name);
  if (found != tokens_.end() && found->second.number == issued_.front().number)
    tokens_.erase(found);
  issued_.pop_front();
}

void Tokens::drop_expired() {
  while (!issued_.empty() && loop_.now() - issued_.front().at >= token_life) drop_oldest();
}

}  // namespace bank
