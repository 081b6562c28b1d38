#include "daemon/supervisor/engine_library.h"

#include <filesystem>

namespace pqd {
namespace {

constexpr const char* kEngineLibrary = "libpqd-engine.so";

}  // namespace

std::expected<std::string, StartFailure> find_engine_library() {
  std::error_code error;
  const auto program = std::filesystem::read_symlink("/proc/self/exe", error);
  if (error) return std::unexpected(path_failure("cannot read", "/proc/self/exe", error.value()));
  const auto folder = program.parent_path();
  for (const auto& place : {folder / kEngineLibrary, folder / "../lib/pqd" / kEngineLibrary})
    if (std::filesystem::exists(place, error)) return place.lexically_normal().string();
  return std::unexpected(StartFailure{
      kExitMissingFile, std::string(kEngineLibrary) + " is neither in " + folder.string() + " nor in " +
                            (folder / "../lib/pqd").lexically_normal().string() + ": install pqd again"});
}

}  // namespace pqd
