#include "atm/declines.h"

#include <algorithm>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "atm/messages.h"

namespace atm {

namespace {

// Cuts between two letters: a string on the wire is UTF-8.
void cut(std::string& text, std::size_t size_max) {
  if (text.size() <= size_max) return;
  const auto is_inside = [](char byte) {
    return (static_cast<unsigned char>(byte) & 0xc0U) == 0x80U;
  };
  while (is_inside(text[size_max])) --size_max;
  text.resize(size_max);
}

// The same request could be done once the ATM serves again, has other notes, or is asked anew. A
// request that makes no sense, or has no session, hears the same whenever it comes.
bool depends_on_the_moment(std::int32_t code) {
  switch (code) {
    case v1::DECLINE_CODE_TERMINAL_BUSY:
    case v1::DECLINE_CODE_OUT_OF_SERVICE:
    case v1::DECLINE_CODE_CANNOT_MAKE_AMOUNT:
    case v1::DECLINE_CODE_BANK_SILENT:
    case v1::DECLINE_CODE_DISPENSER_FAULT:
    case v1::DECLINE_CODE_NOTES_RETURNED:
    case v1::DECLINE_CODE_CANCELLED:
      return true;
    default:
      return false;
  }
}

}  // namespace

Declines::Declines(Journal& journal, const DiskRoom& disk) : journal_(journal), disk_(disk) {
  std::vector<Declined> stored = journal.file().read<Declined>();
  std::ranges::sort(stored, std::greater(), &Declined::number);
  kept_.assign(stored.begin(), stored.end());
  if (!kept_.empty()) stored_through_ = kept_.front().number;
}

void Declines::keep(Declined declined) {
  const auto is_repeated = [&](const Declined& before) {
    return before.id == declined.id && before.code == declined.code;
  };
  if (std::ranges::any_of(kept_, is_repeated)) return;
  cut(declined.sentence, declined_sentence_size_max);
  declined.number = kept_.empty() ? 1 : kept_.front().number + 1;
  declined.slot = static_cast<std::uint32_t>(declined.number % declines_kept_max);
  kept_.push_front(std::move(declined));
  if (kept_.size() > declines_kept_max) kept_.pop_back();
}

Task<> Declines::until_stored() {
  if (!disk_.is_left()) co_return;
  for (const Declined& declined : kept_) {
    if (declined.number <= stored_through_) break;
    journal_.note(to_row(declined));
  }
  if (!kept_.empty()) stored_through_ = kept_.front().number;
  co_await journal_.flush();
}

const Declined* Declines::final_no(const OperationId& id) const {
  const auto is_it = [&](const Declined& declined) {
    return declined.id == id && depends_on_the_moment(declined.code);
  };
  const auto found = std::ranges::find_if(kept_, is_it);
  return found == kept_.end() ? nullptr : &*found;
}

}  // namespace atm
