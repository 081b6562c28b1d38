#include "tests/golden/pack.h"

#include <filesystem>
#include <map>
#include <sstream>

#include "tests/support/temp_dir.h"

namespace pqd::test {
namespace {

namespace fs = std::filesystem;
constexpr std::string_view kMark = "PQDPACK1\n";

bool is_of_use(const std::string& name) {
  for (const char* other : {"lock", "db/LOCK", "db/LOG", "db/OPTIONS"})
    if (name.starts_with(other)) return false;
  return true;
}

}  // namespace

std::string pack(const std::string& directory) {
  std::map<std::string, std::string> files;
  for (const auto& entry : fs::recursive_directory_iterator(directory)) {
    const std::string name = entry.path().lexically_relative(directory);
    if (entry.is_regular_file() && is_of_use(name)) files[name] = read_file(entry.path());
  }
  std::string packed(kMark);
  for (const auto& [name, bytes] : files)
    packed += name + " " + std::to_string(bytes.size()) + "\n" + bytes + "\n";
  return packed;
}

bool unpack(const std::string& packed, const std::string& directory) {
  std::istringstream in(packed);
  std::string line;
  if (!std::getline(in, line) || line + "\n" != kMark) return false;
  while (std::getline(in, line)) {
    const size_t blank = line.find(' ');
    if (blank == std::string::npos) return false;
    std::string bytes(std::stoull(line.substr(blank)), '\0');
    if (!in.read(bytes.data(), static_cast<std::streamsize>(bytes.size())) || in.get() != '\n') return false;
    const fs::path path = directory + "/" + line.substr(0, blank);
    fs::create_directories(path.parent_path());
    write_file(path, bytes);
  }
  return true;
}

}  // namespace pqd::test
