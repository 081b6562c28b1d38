// pqctl store ...: another program with the same grammar takes the whole command line over.
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "tools/pqctl/commands.h"

namespace pqd::ctl {
namespace {

constexpr const char* kProgram = "pqctl-store";

std::vector<std::string> own_words() {
  std::ifstream file("/proc/self/cmdline", std::ios::binary);
  const std::string all(std::istreambuf_iterator<char>(file), {});
  std::vector<std::string> words;
  for (size_t at = 0; at < all.size(); at = all.find('\0', at) + 1) words.emplace_back(all.c_str() + at);
  return words;
}

int run_elsewhere(Context& context) {
  std::error_code error;
  const auto folder = std::filesystem::read_symlink("/proc/self/exe", error).parent_path();
  std::vector<std::string> words = own_words();
  std::vector<char*> pointers;
  for (std::string& word : words) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  for (const auto& place : {folder / kProgram, folder / "../lib/pqd" / kProgram})
    if (std::filesystem::exists(place, error)) ::execv(place.c_str(), pointers.data());
  return context.fail({kExitFailed, std::string(kProgram) + " is neither in " + folder.string() + " nor in " +
                                        (folder / "../lib/pqd").lexically_normal().string() +
                                        ", or cannot be run: install pqd again"});
}

}  // namespace

int run_store_backup(Context& context, const StoreOptions& /*options*/) { return run_elsewhere(context); }
int run_store_check(Context& context, const StoreOptions& /*options*/) { return run_elsewhere(context); }
int run_store_salvage(Context& context, const StoreOptions& /*options*/) { return run_elsewhere(context); }

}  // namespace pqd::ctl
