#include "daemon/store/table_files.h"

#include <algorithm>
#include <filesystem>

#include "daemon/store/rocksdb_include.h"

namespace pqd {

std::vector<TableFile> table_files(const std::string& database) {
  std::vector<TableFile> tables;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(database, error)) {
    if (entry.path().extension() != ".sst") continue;
    std::error_code gone;
    const uint64_t bytes = entry.file_size(gone);
    if (!gone) tables.push_back({entry.path().string(), bytes});
  }
  std::ranges::sort(tables, {}, &TableFile::path);
  return tables;
}

std::string fault_of_table(const std::string& path) {
  rocksdb::SstFileReader reader{rocksdb::Options()};
  auto status = reader.Open(path);
  if (status.ok()) status = reader.VerifyChecksum();
  std::error_code error;
  if (status.ok() || !std::filesystem::exists(path, error)) return {};
  const std::string text = status.ToString();
  return text.find(path) != std::string::npos ? text : path + ": " + text;
}

}  // namespace pqd
