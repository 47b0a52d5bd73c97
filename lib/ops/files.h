// Small files that must survive: read whole, written whole or not at all.
#pragma once

#include <expected>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "async/endpoint.h"

namespace ops {

// The most that is read of a file that a person or a program of ours has written.
inline constexpr std::size_t file_bytes_max = 1024 * 1024;

// Everything in the file, or why it cannot be read: "No such file or directory". A FIFO is read to
// its end, as `<(pass show pin)` needs; one that nobody writes into cannot be read. At most
// file_bytes_max.
std::expected<std::string, std::string> read_file(const std::filesystem::path& path);
// The same of what a program keeps on the disk: anything but a regular file cannot be read.
std::expected<std::string, std::string> read_regular_file(const std::filesystem::path& path);

// The file has its old content or this one, whatever happens meanwhile; when this returns it has
// this one, on the disk. Made with `mode`, whatever the umask, beside the old one, which it replaces.
// Throws std::system_error.
void write_file_atomically(const std::filesystem::path& path, std::string_view content,
                           unsigned mode = 0600);

// The removal is on the disk when this returns. A file that is not there is no error. Throws
// std::system_error.
void remove_file_durably(const std::filesystem::path& path);

// A secret's file: its content without one newline at the end. Throws Failure(no_input) that names
// `path`.
std::string read_secret_file(const std::filesystem::path& path,
                             std::string_view what = "secret's file");

// Tells whoever started us that we serve: a line HOST:PORT for each listener, with the ports that
// were really taken. A file is replaced whole, behind a link that stays; into anything else, such as
// a FIFO, it is written. Returns false, and writes nothing, while nobody reads the FIFO; true also
// without a path. Throws Failure(cannot_create).
bool write_ready_file(const std::optional<std::filesystem::path>& path,
                      const std::vector<async::Endpoint>& listening);

// Where a user's programs keep what must outlive them: $XDG_STATE_HOME/PROGRAM, else
// ~/.local/state/PROGRAM. Made if needed, for its owner only. Throws Failure(cannot_create).
std::filesystem::path state_directory(std::string_view program);

}  // namespace ops
