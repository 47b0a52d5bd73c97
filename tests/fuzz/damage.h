// A file that was sound, with what a fuzzer made of it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <string_view>
#include <unistd.h>

#include "fuzz/require.h"

namespace fuzz {

// A folder in memory where there is such a place. What breaks a target leaves it behind.
class FastFolder {
 public:
  FastFolder() {
    std::filesystem::path root = "/dev/shm";
    if (::access(root.c_str(), W_OK) != 0) root = std::filesystem::temp_directory_path();
    std::string name = (root / "fuzz-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary folder");
    path_ = name;
  }
  FastFolder(const FastFolder&) = delete;
  FastFolder& operator=(const FastFolder&) = delete;
  ~FastFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

inline std::string bytes_in(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

inline void write_bytes(const std::filesystem::path& path, std::string_view bytes) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  require(file.good(), "a file can be written");
}

// Five bytes an edit: three say where, one what is flipped there, and a last one how many bytes are
// cut off the end, in pages of 4096. No more edits than a disk makes in one fault.
inline std::string damaged(std::string sound, std::string_view edits) {
  constexpr std::size_t edits_max = 16;
  for (std::size_t i = 0; i < edits_max && edits.size() >= 5; ++i, edits.remove_prefix(5)) {
    const auto byte = [&](std::size_t at) {
      return std::size_t{static_cast<std::uint8_t>(edits[at])};
    };
    if (sound.empty()) break;
    char& target = sound[(byte(0) << 16U | byte(1) << 8U | byte(2)) % sound.size()];
    target = static_cast<char>(static_cast<std::uint8_t>(target) ^ byte(3));
    // Few files are cut: most of what there is to find needs a whole one.
    if (byte(4) >= 250) sound.resize(sound.size() - std::min(sound.size(), (byte(4) - 249) * 4096));
  }
  return sound;
}

}  // namespace fuzz
