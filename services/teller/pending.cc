#include "teller/pending.h"

#include <array>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/file.h>
#include <system_error>
#include <unistd.h>

#include <sodium.h>

#include "async/check.h"
#include "ops/config_file.h"
#include "ops/failure.h"
#include "ops/files.h"

namespace teller {
namespace {

// The same customer, ATM and terminal give the same name; nobody reads a card's number from it.
std::string file_name(std::string_view atm, std::string_view terminal, std::string_view card) {
  std::string key(atm);
  key += '\n';
  key += terminal;
  key += '\n';
  key += card;
  std::array<unsigned char, 16> hash{};
  crypto_generichash(hash.data(), hash.size(), reinterpret_cast<const unsigned char*>(key.data()),
                     key.size(), nullptr, 0);
  std::array<char, 33> text{};
  sodium_bin2hex(text.data(), text.size(), hash.data(), hash.size());
  return std::string("pending-") + text.data();
}

}  // namespace

PendingFile::PendingFile(const std::filesystem::path& directory, std::string_view atm,
                         std::string_view terminal, std::string_view card)
    : path_(directory / file_name(atm, terminal, card)) {
  const std::string lock = path_.string() + ".lock";
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
                     "Another teller with this card is at this ATM; wait until it has ended");
}

PendingFile::~PendingFile() { ::close(lock_); }

std::optional<PendingChange> PendingFile::read() const {
  std::error_code error;
  if (!std::filesystem::exists(path_, error)) return std::nullopt;
  const ops::ConfigFile file = ops::read_config_file(path_.string());
  const auto text = [&](const char* key) {
    const auto entry = file.find(key);
    return entry == file.end() || entry->second.values.empty() ? "" : entry->second.values[0];
  };
  const auto id = ledger::OperationId::parse(text("id"));
  if (!id) {
    throw ops::Failure(ops::ExitCode::io_error,
                       path_.string() + " should hold the id of an earlier change, and does not");
  }
  return PendingChange{.id = *id, .kind = text("kind"), .what = text("what")};
}

void PendingFile::write(const PendingChange& change) {
  async::check(!std::filesystem::exists(path_), "one change waits for its outcome at a time");
  const std::string content = "id = " + ops::quote_config_string(change.id.text()) +
                              "\nkind = " + ops::quote_config_string(change.kind) +
                              "\nwhat = " + ops::quote_config_string(change.what) + "\n";
  ops::write_file_atomically(path_, content, 0600);
}

void PendingFile::clear() { ops::remove_file_durably(path_); }

}  // namespace teller
