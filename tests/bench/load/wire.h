// The frames that the generator sends, made once and patched for each call, and how it reads replies.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <google/protobuf/message_lite.h>

namespace load {

using ChangeId = std::array<char, 16>;

// As tests/bench/seed names them.
std::string account_name(std::size_t account);
std::string card_number(std::size_t card);
std::string terminal_name(std::size_t terminal);
inline constexpr std::string_view seeded_pin = "4826";
inline constexpr std::size_t account_name_size = 10;

// Call ids of a generator always take five bytes on the wire, so that a frame's size never changes.
inline constexpr std::uint64_t call_id_min = std::uint64_t{1} << 28U;
inline constexpr std::uint64_t call_id_max = (std::uint64_t{1} << 35U) - 1;

// A frame, and where in it is what differs from call to call.
class Template {
 public:
  Template() = default;
  // `method` as on the wire, "bank.v1.BankService/GetBalance". Where `body` has one of the marks
  // below, calls put their own.
  Template(std::string_view method, const google::protobuf::MessageLite& body);

  // Appends the frame of a call, and gives where in `out` it begins.
  std::size_t append(std::string& out, std::uint64_t call_id) const;
  void set_change(char* frame, const ChangeId& id) const { set(frame, change_at_, id); }
  void set_hold(char* frame, const ChangeId& id) const { set(frame, hold_at_, id); }
  void set_target(char* frame, std::size_t account) const;

  static const ChangeId change_mark;
  static const ChangeId hold_mark;
  static const std::string target_mark;

 private:
  void set(char* frame, std::size_t at, const ChangeId& id) const {
    std::copy(id.begin(), id.end(), frame + at);
  }

  std::string bytes_;
  std::size_t change_at_ = 0;
  std::size_t hold_at_ = 0;
  std::size_t target_at_ = 0;
};

// What a card's owner asks a bank for, or in a session an ATM.
struct CardTemplates {
  explicit CardTemplates(std::string_view session);
  CardTemplates(std::size_t card, std::size_t terminal, std::string_view token);

  Template withdraw;
  Template balance;
  Template transfer;
  Template hold;
  Template capture;
};

// A response in a frame's body, which it refers to.
struct Reply {
  std::uint64_t id = 0;
  std::uint64_t code = 0;
  std::string_view message;
  std::string_view body;

  // OK, and its outcome is the first of the response's oneof: a yes.
  bool is_yes() const { return code == 0 && !body.empty() && body.front() == 0x0a; }
  // Of a yes to a change.
  std::uint64_t ledger_seq() const;
};

// Nothing: that is no response.
std::optional<Reply> read_reply(std::string_view body);

// Ids of changes: UUIDv7, as callers of the bank make them.
class ChangeIds {
 public:
  explicit ChangeIds(std::uint64_t seed) : state_(seed | 1U) {}

  ChangeId next(std::uint64_t unix_milliseconds);
  // Also for choosing cards and accounts. Small, fast, and good enough for that (wyrand).
  std::uint64_t random() {
    state_ += 0xa0761d6478bd642fU;
    const Wide wide = static_cast<Wide>(state_) * (state_ ^ 0xe7037ed1a0b428dbU);
    return static_cast<std::uint64_t>(wide >> 64U) ^ static_cast<std::uint64_t>(wide);
  }

 private:
  __extension__ using Wide = unsigned __int128;

  std::uint64_t state_;
};

}  // namespace load
