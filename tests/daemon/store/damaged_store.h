// A busy daemon's store, closed, and ways to damage it.
#pragma once

#include <algorithm>

#include "daemon/store/birth_pack.h"
#include "daemon/store/keys.h"
#include "daemon/store/rocksdb_include.h"
#include "daemon/store/row_fold.h"
#include "daemon/store/tuning.h"
#include "daemon/store/witness.h"
#include "tests/daemon/store/fixtures.h"
#include "tests/daemon/store/workload.h"

namespace pqd::test {

inline std::string number_key(uint64_t number) {
  const auto key = keys::of(number);
  return {reinterpret_cast<const char*>(key.data()), key.size()};
}

inline std::string piece_key(const BlockPiece& piece) {
  return std::string(as_text(BlockPieceKey(piece).bytes()));
}

class DamagedStore : public ::testing::Test {
 protected:
  explicit DamagedStore(uint64_t commits = 40) : commits_(commits) {}

  // All but the last five commits are under checkpoints, of which the last found jobs of the first one
  // changed, and the witness knows of all.
  void SetUp() override {
    const auto store = open_store(path());
    auto witness = Witness::open(path()).value();
    Workload work(*store, 7);
    RowFold fold(*store, {}, 0);
    for (uint64_t i = 1; i <= commits_; ++i) {
      const Commit commit = work.commit();
      ASSERT_TRUE(store->append(commit.number, *commit.entry, *commit.block_bytes, commit.cuts));
      ASSERT_TRUE(fold.fold(commit.number, *commit.entry, *commit.block_bytes));
      if (i + 5 == commits_) {
        ASSERT_TRUE(store->checkpoint(fold.take()));
      }
    }
    ASSERT_TRUE(store->sync(commits_));
    ASSERT_TRUE(witness.record({work.last_number(), work.last_hash()}));
    picture_ = picture_of(work.state());
    dead_letters_ = work.dead_letters().size();
  }

  const std::string& path() const { return directory_.path(); }
  // What is in the log goes into tables.
  void settle() { open_store(path()).reset(); }

  // Changes the database behind the store's back.
  class Database {
   public:
    explicit Database(const std::string& directory) {
      rocksdb::DB* db = nullptr;
      const auto status =
          rocksdb::DB::Open(rocksdb::DBOptions(), directory + "/db", families(1), &handles_, &db);
      EXPECT_TRUE(status.ok()) << status.ToString();
      db_.reset(db);
    }
    ~Database() {
      for (auto* handle : handles_) db_->DestroyColumnFamilyHandle(handle);
      db_->Close();
    }
    Database(const Database&) = delete;
    Database& operator=(const Database&) = delete;

    void put(const std::string& family, const std::string& key, const std::string& value) {
      EXPECT_TRUE(db_->Put({}, handle(family), key, value).ok());
    }
    void remove(const std::string& family, const std::string& key) {
      EXPECT_TRUE(db_->Delete({}, handle(family), key).ok());
    }
    std::string get(const std::string& family, const std::string& key) {
      std::string value;
      EXPECT_TRUE(db_->Get({}, handle(family), key, &value).ok());
      return value;
    }
    std::string first_key(const std::string& family) {
      const std::unique_ptr<rocksdb::Iterator> it(db_->NewIterator({}, handle(family)));
      it->SeekToFirst();
      EXPECT_TRUE(it->Valid()) << family << " is empty";
      return it->Valid() ? it->key().ToString() : std::string();
    }
    void remove_all(const std::string& family) {
      const std::unique_ptr<rocksdb::Iterator> it(db_->NewIterator({}, handle(family)));
      for (it->SeekToFirst(); it->Valid(); it->Next()) remove(family, it->key().ToString());
    }
    // The same rows of live jobs, one by one.
    void unpack() {
      const std::unique_ptr<rocksdb::Iterator> it(db_->NewIterator({}, handle("packs")));
      for (it->SeekToFirst(); it->Valid(); it->Next()) {
        const std::string key = it->key().ToString();
        const std::string packed = get("packed_rows", key);
        const auto head = PackHead::decode(as_bytes(it->value().ToString()));
        ASSERT_TRUE(head);
        const std::string piece = head->piece ? get("blocks", piece_key(*head->piece)) : std::string();
        const auto rows = lay_rows(*head, as_bytes(packed), as_bytes(piece));
        ASSERT_TRUE(rows);
        if (head->piece) remove("blocks", piece_key(*head->piece));
        const JobNo first = keys::number(as_bytes(key)).value();
        for (size_t at = 0; at < head->size(); ++at)
          if (head->counts(at))
            put("live", number_key(first + head->distance(at)), std::string(as_text(rows->rows[at])));
      }
      remove_all("packs");
      remove_all("packed_rows");
    }
    // The first that leaves its records in the block of their commit: its number, and where that is.
    std::optional<std::pair<JobNo, BlockPiece>> pack_with_piece() {
      const std::unique_ptr<rocksdb::Iterator> it(db_->NewIterator({}, handle("packs")));
      for (it->SeekToFirst(); it->Valid(); it->Next())
        if (const auto head = PackHead::decode(as_bytes(it->value().ToString())); head && head->piece)
          return std::pair(keys::number(as_bytes(it->key().ToString())).value(), *head->piece);
      return std::nullopt;
    }
    size_t count(const std::string& family) {
      size_t keys = 0;
      const std::unique_ptr<rocksdb::Iterator> it(db_->NewIterator({}, handle(family)));
      for (it->SeekToFirst(); it->Valid(); it->Next()) ++keys;
      return keys;
    }
    // As if an earlier pqd had written it.
    void drop(const std::string& family) { EXPECT_TRUE(db_->DropColumnFamily(handle(family)).ok()); }
    // Of a family's one table.
    std::string table_of(const std::string& family) {
      std::vector<rocksdb::LiveFileMetaData> files;
      db_->GetLiveFilesMetaData(&files);
      for (const auto& file : files)
        if (file.column_family_name == family) return file.db_path + file.name;
      ADD_FAILURE() << family << " has no table";
      return {};
    }

   private:
    rocksdb::ColumnFamilyHandle* handle(const std::string& family) {
      return *std::ranges::find(handles_, family, &rocksdb::ColumnFamilyHandle::GetName);
    }
    std::vector<rocksdb::ColumnFamilyHandle*> handles_;
    std::unique_ptr<rocksdb::DB> db_;
  };

  uint64_t commits_;
  TempDir directory_;
  Picture picture_;
  uint64_t dead_letters_ = 0;
};

inline void flip_bit(const std::string& file, size_t at) {
  std::string bytes = read_file(file);
  ASSERT_GT(bytes.size(), at);
  bytes[at] = static_cast<char>(bytes[at] ^ 4);
  write_file(file, bytes);
}

}  // namespace pqd::test
