#include "tests/support/load/deed.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <filesystem>

#include "tests/support/temp_dir.h"

namespace pqd::test {

DeedLog::DeedLog(const std::string& path)
    : file_(::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600)) {}

bool DeedLog::add(const Deed& deed) const {
  return ::write(file_.get(), &deed, sizeof deed) == static_cast<ssize_t>(sizeof deed);
}

std::vector<Deed> read_deeds(const std::string& directory) {
  std::vector<Deed> deeds;
  for (const auto& entry : std::filesystem::directory_iterator(directory)) {
    const std::string bytes = read_file(entry.path().string());
    const size_t before = deeds.size();
    deeds.resize(before + bytes.size() / sizeof(Deed));
    if (deeds.size() > before)
      std::memcpy(deeds.data() + before, bytes.data(), (deeds.size() - before) * sizeof(Deed));
  }
  std::ranges::stable_sort(deeds, {}, &Deed::moment);
  return deeds;
}

}  // namespace pqd::test
