#include "daemon/store/raw_database.h"

#include <algorithm>
#include <array>

#include "daemon/store/log_files.h"
#include "daemon/store/rocksdb_bytes.h"
#include "daemon/store/tuning.h"

namespace pqd {
namespace {

// The first bytes of a key as a number, which orders keys as their bytes do.
constexpr size_t kPrefixBytes = 16;
// Of a batch of writes: its number and its count of writes.
constexpr size_t kBatchHeadBytes = 12;
__extension__ using Prefix = unsigned __int128;

Prefix prefix_of(const std::string& key) {
  Prefix prefix = 0;
  for (size_t i = 0; i < kPrefixBytes; ++i)
    prefix = prefix << 8 | (i < key.size() ? static_cast<unsigned char>(key[i]) : 0u);
  return prefix;
}

// The least key that begins so: one with zeros behind it would come later.
std::string key_at(Prefix prefix) {
  std::string key(kPrefixBytes, '\0');
  for (size_t i = kPrefixBytes; i-- > 0; prefix >>= 8) key[i] = static_cast<char>(prefix & 0xff);
  key.erase(key.find_last_not_of('\0') + 1);
  return key;
}

// Seeks beyond a block that cannot be read, knowing nothing of where it ends: in steps that double until
// something can be read again, then half-way back and forth to the first key that can. A new iterator for
// each look: one that has met a bad block may tell of it again where there is none.
std::unique_ptr<rocksdb::Iterator> seek_behind(const std::function<rocksdb::Iterator*()>& new_iterator,
                                               const std::string& last) {
  const Prefix from = prefix_of(last);
  Prefix bad = from;
  Prefix step = 1;
  const auto look = [&new_iterator](Prefix prefix) {
    std::unique_ptr<rocksdb::Iterator> it(new_iterator());
    it->Seek(key_at(prefix));
    return it->status().ok() ? std::move(it) : nullptr;
  };
  for (;; step <<= 1) {
    if (step == 0 || from + step < from) return nullptr;  // nothing behind it
    if (look(from + step)) break;
    bad = from + step;
  }
  Prefix good = from + step;
  while (good - bad > 1) {
    const Prefix middle = bad + (good - bad) / 2;
    (look(middle) ? good : bad) = middle;
  }
  return look(good);
}

}  // namespace

StoreResult<RawDatabase> RawDatabase::open(const std::string& path, Mode mode, uint32_t partitions) {
  RawDatabase database;
  rocksdb::DB* db = nullptr;
  const auto status = mode == Mode::kRead
                          ? rocksdb::DB::OpenForReadOnly(read_only_options(nullptr), path,
                                                         families_there(path, nullptr, families(partitions)),
                                                         &database.handles_, &db)
                          : rocksdb::DB::Open(db_options(std::make_shared<StoreEventListener>(), nullptr),
                                              path, families(partitions), &database.handles_, &db);
  if (!status.ok()) return failure("cannot open " + path, status);
  database.db_.reset(db);
  return database;
}

StoreResult<void> RawDatabase::list_anew(const std::string& path, uint32_t partitions) {
  auto options = db_options(std::make_shared<StoreEventListener>(), nullptr);
  options.listeners.clear();
  const auto status = rocksdb::RepairDB(path, options, families(partitions));
  if (!status.ok()) return failure("cannot make the list of files in " + path + " anew", status);
  return {};
}

StoreResult<uint64_t> RawDatabase::apply_log(const std::string& path) {
  // Families have numbers in the order in which they were made, which is that of families() in all releases.
  class Copy final : public rocksdb::WriteBatch::Handler {
   public:
    Copy(const std::vector<rocksdb::ColumnFamilyHandle*>& handles, rocksdb::WriteBatch& to)
        : handles_(handles), to_(to) {}
    rocksdb::Status PutCF(uint32_t family, const rocksdb::Slice& key, const rocksdb::Slice& value) override {
      return family < handles_.size() ? to_.Put(handles_[family], key, value) : unknown();
    }
    rocksdb::Status DeleteCF(uint32_t family, const rocksdb::Slice& key) override {
      return family < handles_.size() ? to_.Delete(handles_[family], key) : unknown();
    }

   private:
    static rocksdb::Status unknown() { return rocksdb::Status::Corruption("a family that there is not"); }
    const std::vector<rocksdb::ColumnFamilyHandle*>& handles_;
    rocksdb::WriteBatch& to_;
  };
  uint64_t bad = 0;
  rocksdb::Status written;
  bad += for_each_log_record(path, [&](std::string_view record) {
    if (record.size() < kBatchHeadBytes || !written.ok()) {
      bad += written.ok() ? 1u : 0u;
      return;
    }
    rocksdb::WriteBatch batch;
    Copy copy(handles_, batch);
    if (rocksdb::WriteBatch(std::string(record)).Iterate(&copy).ok())
      written = db_->Write(rocksdb::WriteOptions(), &batch);
    else
      ++bad;
  });
  if (!written.ok()) return failure("cannot write", written);
  return bad;
}

RawDatabase::RawDatabase(RawDatabase&& other) noexcept
    : handles_(std::move(other.handles_)), db_(std::move(other.db_)) {}

RawDatabase::~RawDatabase() {
  if (!db_) return;
  for (auto* handle : handles_) db_->DestroyColumnFamilyHandle(handle);
  db_->Close();
}

std::vector<std::string> RawDatabase::family_names() const {
  std::vector<std::string> names;
  for (const auto* handle : handles_) names.push_back(handle->GetName());
  return names;
}

rocksdb::ColumnFamilyHandle* RawDatabase::family(std::string_view name) const {
  const auto found =
      std::ranges::find_if(handles_, [&](const auto* handle) { return handle->GetName() == name; });
  return found == handles_.end() ? nullptr : *found;
}

void RawDatabase::for_each_readable(
    std::string_view family, const std::function<void(rocksdb::Slice, rocksdb::Slice)>& f,
    const std::function<void(const std::string&, const std::string&)>& gap) const {
  const auto new_iterator = [&] { return db_->NewIterator(rocksdb::ReadOptions(), this->family(family)); };
  std::unique_ptr<rocksdb::Iterator> it(new_iterator());
  std::string last;
  for (it->SeekToFirst();;) {
    for (; it->Valid(); it->Next()) {
      last = it->key().ToString();
      f(it->key(), it->value());
    }
    if (it->status().ok()) return;
    const std::string before = last;
    it = seek_behind(new_iterator, last);
    const bool more = it && it->Valid();
    gap(before, more ? it->key().ToString() : std::string());
    if (!more) return;
  }
}

}  // namespace pqd
