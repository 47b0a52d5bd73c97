#include "ledger/codec.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>

#include "ledger/check.h"

namespace ledger {
namespace {

// In a currency's place: the one before it in its record. No currency is packed so.
constexpr std::uint32_t repeated_currency = 1;

bool are_digits(std::string_view text) {
  return std::ranges::all_of(text, [](char letter) { return letter >= '0' && letter <= '9'; });
}

// The day of a time at Greenwich: a business day is that or the one beside it, so it is written as the difference.
std::int64_t day_of(Instant at) {
  return std::chrono::floor<std::chrono::days>(at).time_since_epoch().count();
}

// More than any day and any time are apart.
constexpr std::int64_t day_difference_max = std::int64_t{1} << 33U;

// What wraps is brought back by its opposite.
std::int64_t difference(Cents a, Cents b) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(a.value) -
                                   static_cast<std::uint64_t>(b.value));
}

// Appends values to a text of bytes: byte by byte into a buffer of its own, which goes to the text when it is full and at the end.
class Writer {
 public:
  explicit Writer(std::string& out) : out_(out) {}
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;
  ~Writer() { flush(); }

  void put(std::uint64_t value) {
    if (room() < varint_size_max) flush();
    while (value >= 0x80U) {
      *at_++ = static_cast<char>(value | 0x80U);
      value >>= 7U;
    }
    *at_++ = static_cast<char>(value);
  }
  void put(std::uint32_t value) { put(std::uint64_t{value}); }
  void put(bool value) { put(std::uint64_t{value ? 1U : 0U}); }
  // Small numbers of either sign are short.
  void put_signed(std::int64_t value) {
    const auto bits = static_cast<std::uint64_t>(value);
    put((bits << 1U) ^ (value < 0 ? ~std::uint64_t{0} : std::uint64_t{0}));
  }
  template <typename Enum>
    requires std::is_enum_v<Enum>
  void put(Enum value) {
    put(static_cast<std::uint64_t>(value));
  }
  void put(Cents value) { put_signed(value.value); }
  void put(Currency value) {
    const bool is_repeated = value.is_set() && value == known_currency_;
    put(is_repeated ? repeated_currency : value.packed());
    if (value.is_set()) known_currency_ = value;
  }
  void put(std::chrono::milliseconds value) { put_signed(value.count()); }
  void put(const OperationId& value) { put_bytes(value.view()); }
  void put(const std::string& value) {
    const bool is_repeated = !value.empty() && value == known_text_;
    put(std::uint64_t{is_repeated ? 0 : value.size() + 1});
    if (!is_repeated) put_bytes(value);
  }
  // Two digits a byte.
  void put(const CardDigits& value) {
    const std::string_view letters = value.view();
    const bool has_others = !are_digits(letters);
    put(std::uint64_t{2 * letters.size() + (has_others ? 1 : 0)});
    if (has_others) return put_bytes(letters);
    std::array<char, card_digits_max> pairs{};
    for (std::size_t place = 0; place < letters.size(); ++place) {
      const int digit = letters[place] - '0';
      const int both = pairs[place / 2] | (place % 2 == 0 ? digit : digit << 4);
      pairs[place / 2] = static_cast<char>(both);
    }
    put_bytes({pairs.data(), (letters.size() + 1) / 2});
  }
  // Whose texts are not written again.
  void put_principal(const std::string& principal) {
    put(principal);
    known_text_ = principal;
  }
  // The reader has these.
  void know(std::string_view text, Currency currency) {
    known_text_ = text;
    known_currency_ = currency;
  }
  void put(const CardLimits& value) {
    put(value.withdrawal_max);
    put(value.daily_amount_max);
    put(value.daily_count_max);
  }
  template <typename Value>
  void put(const std::optional<Value>& value) {
    put(value.has_value());
    if (value.has_value()) put(*value);
  }
  void put(const Money& value) {
    put(value.amount);
    put(value.currency);
  }

 private:
  static constexpr std::size_t varint_size_max = 10;

  std::size_t room() const {
    return static_cast<std::size_t>(buffer_.data() + buffer_.size() - at_);
  }
  void put_bytes(std::string_view bytes) {
    if (room() < bytes.size()) flush();
    if (room() < bytes.size()) {
      out_ += bytes;
    } else {
      at_ = std::copy(bytes.begin(), bytes.end(), at_);
    }
  }
  void flush() {
    out_.append(buffer_.data(), at_);
    at_ = buffer_.data();
  }

  std::string& out_;
  std::array<char, 256> buffer_;
  char* at_ = buffer_.data();
  std::string_view known_text_;
  Currency known_currency_;
};

// Takes values off the front of a text of bytes. After the first that is not there, nothing is.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : bytes_(bytes) {}

  bool failed() const { return failed_; }
  std::string_view rest() const { return bytes_; }
  void fail() { failed_ = true; }

  void get(std::uint64_t& value) {
    value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      if (failed_ || bytes_.empty()) break;
      const auto byte = static_cast<std::uint8_t>(bytes_.front());
      bytes_.remove_prefix(1);
      if (shift == 63 && byte > 1) break;
      if (shift > 0 && byte == 0) break;  // Nobody wrote a number longer than it is.
      value |= std::uint64_t{byte & 0x7fU} << shift;
      if (byte < 0x80U) return;
    }
    fail();
  }
  void get(std::uint32_t& value) {
    std::uint64_t wide = 0;
    get(wide);
    if (wide > UINT32_MAX) fail();
    value = static_cast<std::uint32_t>(wide);
  }
  void get(bool& value) {
    std::uint64_t number = 0;
    get(number);
    if (number > 1) fail();
    value = number == 1;
  }
  void get_signed(std::int64_t& value) {
    std::uint64_t bits = 0;
    get(bits);
    value = static_cast<std::int64_t>((bits >> 1U) ^ (~(bits & 1U) + 1U));
  }
  void get(Cents& value) { get_signed(value.value); }
  void get(Currency& value) {
    std::uint32_t packed = 0;
    get(packed);
    value = packed == repeated_currency ? known_currency_ : Currency();
    if (packed == repeated_currency && !value.is_set()) fail();
    if (packed == 0 || packed == repeated_currency) return;
    const std::string letters{static_cast<char>(packed >> 16U), static_cast<char>(packed >> 8U),
                              static_cast<char>(packed)};
    const std::optional<Currency> currency = Currency::parse(letters);
    if (!currency.has_value() || currency->packed() != packed || currency == known_currency_) {
      return fail();
    }
    value = *currency;
    known_currency_ = value;
  }
  void get(std::chrono::milliseconds& value) {
    std::int64_t count = 0;
    get_signed(count);
    value = std::chrono::milliseconds(count);
  }
  void get(OperationId& value) {
    const std::optional<OperationId> id = OperationId::from_bytes(take(value.bytes.size()));
    if (id.has_value()) value = *id;
  }
  void get(std::string& value) {
    std::uint64_t size_and_one = 0;
    get(size_and_one);
    const bool is_repeated = size_and_one == 0;
    value = is_repeated ? known_text_ : take(size_and_one - 1);
    if (is_repeated && known_text_.empty()) fail();
    if (!is_repeated && !value.empty() && value == known_text_) fail();
  }
  void get(CardDigits& value) {
    std::uint64_t size = 0;
    get(size);
    const bool has_others = size % 2 == 1;
    size /= 2;
    if (size > card_digits_max + 1) return fail();
    const std::string_view bytes = take(has_others ? size : (size + 1) / 2);
    if (failed_) return;
    std::array<char, card_digits_max + 1> letters{};
    for (std::size_t place = 0; place < size && !has_others; ++place) {
      const auto pair = static_cast<unsigned char>(bytes[place / 2]);
      letters[place] = static_cast<char>('0' + (place % 2 == 0 ? pair & 15U : pair >> 4U));
    }
    value = has_others ? bytes : std::string_view(letters.data(), size);
    const bool is_padded =
        has_others || size % 2 == 0 || static_cast<unsigned char>(bytes.back()) >> 4U == 0;
    if (are_digits(value.view()) == has_others || !is_padded) fail();
  }
  void get_principal(std::string& principal) {
    get(principal);
    known_text_ = principal;
  }
  void know(std::string_view text, Currency currency) {
    known_text_ = text;
    known_currency_ = currency;
  }
  void get(CardLimits& value) {
    get(value.withdrawal_max);
    get(value.daily_amount_max);
    get(value.daily_count_max);
  }
  template <typename Value>
  void get(std::optional<Value>& value) {
    bool there = false;
    get(there);
    if (there && !failed_) get(value.emplace());
  }
  void get(Money& value) {
    get(value.amount);
    get(value.currency);
  }
  void get(AccountNumber& value) {
    std::uint32_t number = 0;
    get(number);
    value = AccountNumber{number};
  }
  void get(TransferKind& value) { get_enum(value, TransferKind::transfer, TransferKind::reversal); }
  void get(OldPin& value) { get_enum(value, OldPin::right, OldPin::wrong); }
  void get(RefusalCode& value) {
    get_enum(value, RefusalCode::malformed, RefusalCode::disk_nearly_full);
    if (!is_known(value)) fail();
  }

 private:
  template <typename Enum>
  void get_enum(Enum& value, Enum first, Enum last) {
    std::uint64_t number = 0;
    get(number);
    if (number < std::to_underlying(first) || number > std::to_underlying(last)) return fail();
    value = static_cast<Enum>(number);
  }
  std::string_view take(std::uint64_t size) {
    if (failed_ || size > bytes_.size()) {
      fail();
      return {};
    }
    const std::string_view taken = bytes_.substr(0, size);
    bytes_.remove_prefix(size);
    return taken;
  }

  std::string_view bytes_;
  bool failed_ = false;
  std::string_view known_text_;
  Currency known_currency_;
};

void put_change(Writer& writer, const Change& change) {
  writer.put(std::uint64_t{change.index()});
  std::visit(
      [&writer]<typename Kind>(const Kind& kind) {
        Kind::fields([&](std::string_view, auto member, bool = true) { writer.put(kind.*member); });
      },
      change);
}

// Makes the alternative of that index and fills its fields.
template <std::size_t index = 0>
void get_change(Reader& reader, std::uint64_t wanted, Change& change) {
  if constexpr (index == std::variant_size_v<Change>) {
    reader.fail();
  } else if (index != wanted) {
    get_change<index + 1>(reader, wanted, change);
  } else {
    using Kind = std::variant_alternative_t<index, Change>;
    Kind& kind = change.emplace<index>();
    Kind::fields([&](std::string_view, auto member, bool = true) { reader.get(kind.*member); });
  }
}

void put_outcome(Writer& writer, const Outcome& outcome) {
  writer.put(outcome.has_value());
  if (outcome.has_value()) {
    writer.put(outcome->balance);
    writer.put_signed(difference(outcome->balance, outcome->available));
    writer.put(outcome->currency);
    writer.put(std::uint64_t{outcome->tries_left} * 2 + (outcome->hold_was_unknown ? 1 : 0));
  } else {
    writer.put(outcome.error().code);
    check(outcome.error().field.empty());  // None that is pinned names one.
    writer.put(outcome.error().left);
    writer.put(outcome.error().left_count);
  }
}

// How far before a number another is, and the other way round; 0 stands for there being none.
std::uint64_t back(std::uint64_t from, std::uint64_t to) { return to == 0 ? 0 : from - to; }

// Both carry the record's number, so it is written once.
Outcome get_outcome(Reader& reader, std::uint64_t ledger_seq) {
  bool accepted = false;
  reader.get(accepted);
  if (accepted) {
    Receipt receipt;
    receipt.ledger_seq = ledger_seq;
    std::int64_t reserved = 0;
    std::uint64_t tries_left_and_unknown = 0;
    reader.get(receipt.balance);
    reader.get_signed(reserved);
    reader.get(receipt.currency);
    reader.get(tries_left_and_unknown);
    receipt.available = Cents{difference(receipt.balance, Cents{reserved})};
    receipt.hold_was_unknown = tries_left_and_unknown % 2 == 1;
    receipt.tries_left = static_cast<std::uint32_t>(tries_left_and_unknown / 2);
    if (tries_left_and_unknown / 2 > UINT32_MAX) reader.fail();
    return receipt;
  }
  Refusal refusal;
  refusal.ledger_seq = ledger_seq;
  reader.get(refusal.code);
  reader.get(refusal.left);
  reader.get(refusal.left_count);
  return std::unexpected(refusal);
}

// What of a movement is packed as it is.
constexpr std::tuple packed_fields{
    &Transfer::id,       &Transfer::kind,     &Transfer::source,         &Transfer::target,
    &Transfer::amount,   &Transfer::currency, &Transfer::source_balance, &Transfer::target_balance,
    &Transfer::terminal, &Transfer::reason};

}  // namespace

void encode(const Record& record, std::string& out) {
  Writer writer(out);
  writer.put(record.ledger_seq);
  writer.put_signed(microseconds_of(record.at));
  writer.put_signed(record.day.number - day_of(record.at));
  writer.put(record.operation.id);
  writer.put_principal(record.operation.principal);
  put_change(writer, record.operation.change);
  put_outcome(writer, record.outcome);
}

std::optional<Record> decode(std::string_view& bytes) {
  Reader reader(bytes);
  Record record;
  std::int64_t at = 0;
  std::int64_t day = 0;
  std::uint64_t kind = 0;
  reader.get(record.ledger_seq);
  reader.get_signed(at);
  reader.get_signed(day);
  reader.get(record.operation.id);
  reader.get_principal(record.operation.principal);
  reader.get(kind);
  record.at = instant_of(at);
  if (day < -day_difference_max || day > day_difference_max) {
    reader.fail();
  } else {
    day += day_of(record.at);
  }
  if (day < INT32_MIN || day > INT32_MAX) reader.fail();
  if (!reader.failed()) get_change(reader, kind, record.operation.change);
  record.outcome = get_outcome(reader, record.ledger_seq);
  if (reader.failed()) return std::nullopt;
  record.day = BusinessDay{static_cast<std::int32_t>(day)};
  bytes = reader.rest();
  return record;
}

void pack(const Transfer& transfer, const Transfer& first, std::string& out) {
  Writer writer(out);
  writer.know(first.terminal, first.currency);
  writer.put_signed((transfer.at - first.at).count());
  writer.put(back(transfer.ledger_seq, transfer.source_previous));
  writer.put(back(transfer.ledger_seq, transfer.target_previous));
  writer.put(back(transfer.ledger_seq, transfer.reverses));
  writer.put(transfer.receipt.is_set() ? ReceiptId(transfer.receipt) : std::nullopt);
  std::apply([&](auto... field) { (writer.put(transfer.*field), ...); }, packed_fields);
}

Transfer unpack(std::string_view packed, std::uint64_t ledger_seq, const Transfer& first) {
  Reader reader(packed);
  reader.know(first.terminal, first.currency);
  Transfer transfer;
  std::int64_t after = 0;
  reader.get_signed(after);
  reader.get(transfer.source_previous);
  reader.get(transfer.target_previous);
  reader.get(transfer.reverses);
  ReceiptId receipt;
  reader.get(receipt);
  std::apply([&](auto... field) { (reader.get(transfer.*field), ...); }, packed_fields);
  check(!reader.failed());
  transfer.at = first.at + Instant::duration(after);
  transfer.ledger_seq = ledger_seq;
  transfer.source_previous = back(ledger_seq, transfer.source_previous);
  transfer.target_previous = back(ledger_seq, transfer.target_previous);
  transfer.reverses = back(ledger_seq, transfer.reverses);
  transfer.receipt = receipt.value_or(OperationId());
  return transfer;
}

}  // namespace ledger
