// Makes a golden store with the code that it is built with: make_store NAME writes NAME.pack and NAME.txt.
#include <cstdio>
#include <cstdlib>

#include "daemon/store/row_fold.h"
#include "daemon/store/store.h"
#include "daemon/store/witness.h"
#include "tests/golden/golden_life.h"
#include "tests/golden/pack.h"
#include "tests/support/temp_dir.h"

namespace pqd::test {
namespace {

template <class T>
T must(StoreResult<T> result) {
  if (result) return std::move(*result);
  std::fprintf(stderr, "make_store: %s\n", result.error().text.c_str());
  std::exit(1);
}
void must(const StoreResult<void>& result) {
  if (result) return;
  std::fprintf(stderr, "make_store: %s\n", result.error().text.c_str());
  std::exit(1);
}

// Opened anew twice, so that RocksDB has tables beside its log; two commits behind the last checkpoint.
std::string make_store(const std::string& directory) {
  GoldenLife life;
  auto store = must(Store::open({.directory = directory}));
  auto fold = std::make_unique<RowFold>(*store, Tables{}, 0);
  for (auto commit = life.next(); commit; commit = life.next()) {
    must(store->append(commit->number, *commit->entry, *commit->block_bytes));
    must(fold->fold(commit->number, *commit->entry, *commit->block_bytes));
    if (commit->number == 3 || commit->number == 5 || commit->number == 7)
      must(store->checkpoint(fold->take()));
    if (commit->number == 3 || commit->number == 5) {
      const Tables tables = Tables::decode(must(store->load_checkpoint())->tables).value();
      fold.reset();
      store.reset();
      store = must(Store::open({.directory = directory}));
      fold = std::make_unique<RowFold>(*store, tables, commit->number);
    }
    must(store->sync(commit->number));
    must(must(Witness::open(directory)).record({commit->number, commit->hash}));
  }
  return life.picture().text();
}

}  // namespace
}  // namespace pqd::test

int main(int argc, char** argv) {
  using namespace pqd::test;
  if (argc != 2) {
    std::fprintf(stderr, "usage: make_store NAME\n");
    return 64;
  }
  const TempDir directory;
  const std::string text = make_store(directory.path("state"));
  write_file(std::string(argv[1]) + ".txt", text);
  write_file(std::string(argv[1]) + ".pack", pack(directory.path("state")));
  return 0;
}
