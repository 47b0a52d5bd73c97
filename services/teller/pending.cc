#include "teller/pending.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <optional>
#include <sys/file.h>
#include <system_error>
#include <unistd.h>
#include <utility>

#include <sodium.h>

#include "async/check.h"
#include "ops/config_file.h"
#include "ops/failure.h"
#include "ops/files.h"

namespace teller {
namespace {

std::string hex_of(std::string_view bytes) {
  std::string text(bytes.size() * 2 + 1, '\0');
  sodium_bin2hex(text.data(), text.size(), reinterpret_cast<const unsigned char*>(bytes.data()),
                 bytes.size());
  text.pop_back();
  return text;
}

// Returns nullopt if it is not what hex_of() returns.
std::optional<std::string> bytes_of_hex(const std::string& text) {
  std::string bytes(text.size() / 2, '\0');
  std::size_t size = 0;
  const char* end = nullptr;
  const int read = sodium_hex2bin(reinterpret_cast<unsigned char*>(bytes.data()), bytes.size(),
                                  text.data(), text.size(), nullptr, &size, &end);
  const bool is_whole = read == 0 && end == text.data() + text.size() && size == bytes.size();
  return is_whole && hex_of(bytes) == text ? std::optional(bytes) : std::nullopt;
}

// The same card gives the same name; nobody reads its number from it.
std::string name_of_card(std::string_view card) {
  std::array<unsigned char, 16> hash{};
  crypto_generichash(hash.data(), hash.size(), reinterpret_cast<const unsigned char*>(card.data()),
                     card.size(), nullptr, 0);
  return "pending-" + hex_of({reinterpret_cast<const char*>(hash.data()), hash.size()});
}

[[noreturn]] void fail(const std::string& sentence) {
  throw ops::Failure(ops::ExitCode::io_error, sentence);
}

[[noreturn]] void is_damaged(const std::filesystem::path& path, const std::string& why) {
  fail("The file " + path.string() +
       ", which remembers an earlier change with this card, is damaged: " + why +
       ". Nothing was begun. Ask your bank whether that change was done, and then remove the file");
}

ops::ConfigFile parse(const std::filesystem::path& path, const std::string& content) {
  try {
    return ops::parse_config(content, "its");
  } catch (const ops::Failure& failure) {
    std::string why = failure.what();
    while (why.ends_with('.')) why.pop_back();
    is_damaged(path, why);
  }
}

PendingChange read_change(const std::filesystem::path& path, std::string atm_id) {
  const auto content = ops::read_regular_file(path);
  if (!content) is_damaged(path, content.error());
  const ops::ConfigFile file = parse(path, *content);
  const auto text = [&](const char* key) {
    const auto entry = file.find(key);
    return entry == file.end() || entry->second.values.empty() ? "" : entry->second.values[0];
  };
  const auto id = ledger::OperationId::parse(text("id"));
  if (!id || !id->is_set()) is_damaged(path, "it does not hold the change's id");
  const bool is_known = std::ranges::find(change_kinds, text("kind")) != change_kinds.end();
  if (!is_known) is_damaged(path, "it does not say what kind of change that was");
  return {.id = *id,
          .kind = text("kind"),
          .what = text("what"),
          .atm_id = std::move(atm_id),
          .currency = text("currency")};
}

}  // namespace

PendingFiles::PendingFiles(const std::filesystem::path& directory, std::string_view card)
    : directory_(directory), card_name_(name_of_card(card)) {
  const std::string lock = (directory_ / (card_name_ + ".lock")).string();
  std::error_code error;
  const bool made = std::filesystem::create_directories(directory, error);
  if (made) std::filesystem::permissions(directory, std::filesystem::perms::owner_all, error);
  lock_ = ::open(lock.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (lock_ < 0) {
    throw ops::Failure(ops::ExitCode::cannot_create,
                       "Changes of money cannot be remembered in " + directory.string() + ": " +
                           std::strerror(errno) + ", so none is begun");
  }
  if (::flock(lock_, LOCK_EX | LOCK_NB) == 0) return;
  ::close(lock_);
  throw ops::Failure(ops::ExitCode::unavailable,
                     "Another teller with this card is running; wait until it has ended");
}

PendingFiles::~PendingFiles() { ::close(lock_); }

std::filesystem::path PendingFiles::path_of(const std::string& atm_id) const {
  return directory_ / (card_name_ + "-" + hex_of(atm_id));
}

std::vector<PendingChange> PendingFiles::read() const {
  const std::string beginning = card_name_ + "-";
  std::vector<PendingChange> changes;
  std::error_code error;
  std::filesystem::directory_iterator entry(directory_, error);
  for (; !error && entry != std::filesystem::directory_iterator(); entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    // What a write that was interrupted left beside it.
    if (!name.starts_with(beginning) || name.ends_with(".new")) continue;
    std::optional<std::string> atm_id = bytes_of_hex(name.substr(beginning.size()));
    if (!atm_id) is_damaged(entry->path(), "its name does not say which ATM was asked");
    changes.push_back(read_change(entry->path(), *std::move(atm_id)));
  }
  if (!error) return changes;
  fail("The folder " + directory_.string() + ", which remembers earlier changes, cannot be read: " +
       error.message() + ". Nothing was begun");
}

bool PendingFiles::holds(const std::string& atm_id) const {
  std::error_code error;
  return std::filesystem::exists(path_of(atm_id), error);
}

void PendingFiles::write(const PendingChange& change) {
  async::check(!holds(change.atm_id), "one change waits for its outcome at a time");
  const std::string content = "id = " + ops::quote_config_string(change.id.text()) +
                              "\nkind = " + ops::quote_config_string(change.kind) +
                              "\nwhat = " + ops::quote_config_string(change.what) +
                              "\ncurrency = " + ops::quote_config_string(change.currency) + "\n";
  ops::write_file_atomically(path_of(change.atm_id), content, 0600);
}

void PendingFiles::clear(const std::string& atm_id) { ops::remove_file_durably(path_of(atm_id)); }

}  // namespace teller
