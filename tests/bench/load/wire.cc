#include "bench/load/wire.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "atm/v1/atm.pb.h"
#include "bank/v1/bank.pb.h"
#include "rpc/v1/envelope.pb.h"

namespace load {
namespace {

constexpr std::size_t header_size = 2;
constexpr std::size_t call_id_at = header_size + 1;
constexpr std::uint32_t patience_ms = 10'000;

std::string name_of(const char* format, std::size_t number) {
  std::array<char, 32> text{};
  const int size = std::snprintf(text.data(), text.size(), format, number);
  return {text.data(), static_cast<std::size_t>(size)};
}

ChangeId mark(std::string_view text) {
  ChangeId id{};
  std::copy(text.begin(), text.end(), id.begin());
  return id;
}

void put_call_id(char* to, std::uint64_t id) {
  to[0] = static_cast<char>(0x80U | (id & 0x7fU));
  to[1] = static_cast<char>(0x80U | ((id >> 7U) & 0x7fU));
  to[2] = static_cast<char>(0x80U | ((id >> 14U) & 0x7fU));
  to[3] = static_cast<char>(0x80U | ((id >> 21U) & 0x7fU));
  to[4] = static_cast<char>(id >> 28U);
}

bool read_varint(std::string_view& bytes, std::uint64_t& value) {
  value = 0;
  for (unsigned shift = 0; shift < 64 && !bytes.empty(); shift += 7) {
    const auto byte = static_cast<unsigned char>(bytes.front());
    bytes.remove_prefix(1);
    value |= static_cast<std::uint64_t>(byte & 0x7fU) << shift;
    if (byte < 0x80U) return true;
  }
  return false;
}

template <typename Request>
Request of_terminal(std::size_t terminal) {
  Request request;
  request.set_terminal_id(terminal_name(terminal));
  return request;
}

template <typename Request>
Request change_of(std::size_t terminal) {
  auto request = of_terminal<Request>(terminal);
  request.set_id(Template::change_mark.data(), Template::change_mark.size());
  request.mutable_amount()->set_minor_units(1);
  request.mutable_amount()->set_currency("EUR");
  return request;
}

bank::v1::GetBalanceRequest balance_of(std::size_t card, std::size_t terminal,
                                       std::string_view token) {
  auto request = of_terminal<bank::v1::GetBalanceRequest>(terminal);
  request.set_card_number(card_number(card));
  request.set_token(token.data(), token.size());
  return request;
}

bank::v1::TransferRequest transfer_of(std::size_t card, std::size_t terminal,
                                      std::string_view token) {
  auto request = change_of<bank::v1::TransferRequest>(terminal);
  request.set_card_number(card_number(card));
  request.set_token(token.data(), token.size());
  request.set_target_account_id(Template::target_mark);
  return request;
}

bank::v1::HoldRequest hold_of(std::size_t card, std::size_t terminal, std::string_view token) {
  auto request = change_of<bank::v1::HoldRequest>(terminal);
  request.set_card_number(card_number(card));
  request.set_token(token.data(), token.size());
  request.set_time_to_live_ms(60'000);
  return request;
}

bank::v1::CaptureRequest capture_of(std::size_t terminal) {
  auto request = change_of<bank::v1::CaptureRequest>(terminal);
  request.set_hold_id(Template::hold_mark.data(), Template::hold_mark.size());
  return request;
}

atm::v1::WithdrawRequest withdrawal_in(std::string_view session) {
  atm::v1::WithdrawRequest request;
  request.set_id(Template::change_mark.data(), Template::change_mark.size());
  request.set_session_id(session.data(), session.size());
  request.mutable_amount()->set_minor_units(2'000);
  request.mutable_amount()->set_currency("EUR");
  return request;
}

}  // namespace

const ChangeId Template::change_mark = mark("change-id-16-bit");
const ChangeId Template::hold_mark = mark("hold-id-16-bytes");
const std::string Template::target_mark = "to-account";

std::string account_name(std::size_t account) { return name_of("a-%08zu", account); }
std::string card_number(std::size_t card) { return name_of("40000000%08zu", card); }
std::string terminal_name(std::size_t terminal) { return name_of("t-%04zu", terminal); }

Template::Template(std::string_view method, const google::protobuf::MessageLite& body) {
  rpc::v1::Request request;
  request.set_id(call_id_min);
  request.set_method(method.data(), method.size());
  body.SerializeToString(request.mutable_body());
  request.set_time_left_ms(patience_ms);
  bytes_.resize(header_size);
  request.AppendToString(&bytes_);
  bytes_[0] = static_cast<char>((bytes_.size() - header_size) >> 8U);
  bytes_[1] = static_cast<char>(bytes_.size() - header_size);
  const auto place = [&](std::string_view what) {
    const std::size_t at = bytes_.find(what);
    return at == std::string::npos ? 0 : at;
  };
  change_at_ = place({change_mark.data(), change_mark.size()});
  hold_at_ = place({hold_mark.data(), hold_mark.size()});
  target_at_ = place(target_mark);
}

std::size_t Template::append(std::string& out, std::uint64_t call_id) const {
  const std::size_t at = out.size();
  out.append(bytes_);
  put_call_id(out.data() + at + call_id_at, call_id);
  return at;
}

void Template::set_target(char* frame, std::size_t account) const {
  char* const end = frame + target_at_ + account_name_size;
  for (int digit = 1; digit <= 8; ++digit, account /= 10) {
    end[-digit] = static_cast<char>('0' + account % 10);
  }
  frame[target_at_] = 'a';
  frame[target_at_ + 1] = '-';
}

CardTemplates::CardTemplates(std::string_view session)
    : withdraw("atm.v1.AtmService/Withdraw", withdrawal_in(session)) {}

CardTemplates::CardTemplates(std::size_t card, std::size_t terminal, std::string_view token)
    : balance("bank.v1.BankService/GetBalance", balance_of(card, terminal, token)),
      transfer("bank.v1.BankService/Transfer", transfer_of(card, terminal, token)),
      hold("bank.v1.BankService/Hold", hold_of(card, terminal, token)),
      capture("bank.v1.BankService/Capture", capture_of(terminal)) {}

std::uint64_t Reply::ledger_seq() const {
  std::string_view bytes = body;
  std::uint64_t value = 0;
  bytes.remove_prefix(std::min<std::size_t>(1, bytes.size()));
  if (!read_varint(bytes, value) || bytes.empty() || bytes.front() != 0x08) return 0;
  bytes.remove_prefix(1);
  return read_varint(bytes, value) ? value : 0;
}

std::optional<Reply> read_reply(std::string_view body) {
  Reply reply;
  while (!body.empty()) {
    const auto tag = static_cast<unsigned char>(body.front());
    body.remove_prefix(1);
    std::uint64_t value = 0;
    if (!read_varint(body, value)) return std::nullopt;
    if ((tag & 7U) == 2) {
      if (value > body.size()) return std::nullopt;
      const std::string_view text = body.substr(0, value);
      body.remove_prefix(value);
      (tag == 0x22 ? reply.body : reply.message) = text;
    } else if (tag == 0x08) {
      reply.id = value;
    } else if (tag == 0x10) {
      reply.code = value;
    }
  }
  return reply;
}

ChangeId ChangeIds::next(std::uint64_t unix_milliseconds) {
  std::array<unsigned char, 16> bytes{};
  const std::uint64_t first = (unix_milliseconds << 16U) | 0x7000U | (random() & 0x0fffU);
  const std::uint64_t second = (random() & 0x3fffffffffffffffU) | 0x8000000000000000U;
  for (std::size_t at = 0; at < 8; ++at) {
    bytes[at] = static_cast<unsigned char>(first >> (56 - 8 * at));
    bytes[8 + at] = static_cast<unsigned char>(second >> (56 - 8 * at));
  }
  ChangeId id{};
  std::memcpy(id.data(), bytes.data(), id.size());
  return id;
}

}  // namespace load
