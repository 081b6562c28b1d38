#include "tests/crash/disk_model.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace pqd::test {
namespace {

constexpr uint64_t kPageBytes = 4096;
constexpr uint64_t kSectorBytes = 512;

void copy_range(std::string& to, const std::string& from, uint64_t begin, uint64_t end) {
  end = std::min<uint64_t>({end, to.size(), from.size()});
  if (begin < end) to.replace(begin, end - begin, from, begin, end - begin);
}

}  // namespace

std::string DiskModel::directory_of(const std::string& name) {
  const size_t slash = name.rfind('/');
  return slash == std::string::npos ? std::string() : name.substr(0, slash);
}

void DiskModel::apply(const DiskOp& op) {
  switch (op.kind) {
    case DiskOp::Kind::kCreate: {
      inodes_[op.inode] = {};
      Directory& directory = directories_[directory_of(op.name)];
      directory.now[op.name] = op.inode;
      directory.changes.push_back({op.name, op.inode});
      return;
    }
    case DiskOp::Kind::kWrite: {
      Inode& inode = inodes_[op.inode];
      if (inode.now.size() < op.offset + op.bytes.size()) inode.now.resize(op.offset + op.bytes.size());
      inode.now.replace(op.offset, op.bytes.size(), op.bytes);
      inode.changed_from = std::min(inode.changed_from, op.offset);
      return;
    }
    case DiskOp::Kind::kTruncate: {
      Inode& inode = inodes_[op.inode];
      inode.now.resize(op.offset);
      inode.changed_from = std::min(inode.changed_from, op.offset);
      return;
    }
    case DiskOp::Kind::kSync: {
      Inode& inode = inodes_[op.inode];
      const uint64_t from = std::min<uint64_t>({inode.changed_from, inode.now.size(), inode.synced.size()});
      inode.synced.resize(from);
      inode.synced.append(inode.now, from);
      inode.changed_from = UINT64_MAX;
      return;
    }
    case DiskOp::Kind::kRename: {
      Directory& directory = directories_[directory_of(op.name)];
      if (directory_of(op.to) != directory_of(op.name)) std::abort();
      const InodeNo inode = directory.now.at(op.name);
      directory.now.erase(op.name);
      directory.now[op.to] = inode;
      directory.changes.push_back({op.to, inode, true});
      directory.changes.push_back({op.name, 0});
      return;
    }
    case DiskOp::Kind::kUnlink: {
      Directory& directory = directories_[directory_of(op.name)];
      directory.now.erase(op.name);
      directory.changes.push_back({op.name, 0});
      return;
    }
    case DiskOp::Kind::kSyncDirectory: {
      Directory& directory = directories_[op.name];
      directory.synced = directory.now;
      directory.changes.clear();
      return;
    }
  }
}

bool DiskModel::any_unsynced() const {
  for (const auto& [name, directory] : directories_) {
    if (!directory.changes.empty()) return true;
    for (const auto& [file, inode] : directory.now)
      if (inodes_.at(inode).changed_from != UINT64_MAX) return true;
  }
  return false;
}

std::string DiskModel::bytes_after(const Inode& inode, Cut cut, std::mt19937_64& random) {
  if (cut == Cut::kNothing || inode.changed_from == UINT64_MAX) return inode.synced;
  if (cut == Cut::kEverything) return inode.now;
  std::string bytes = inode.synced;
  const uint64_t least = std::min(inode.synced.size(), inode.now.size());
  const uint64_t most = std::max(inode.synced.size(), inode.now.size());
  uint64_t size = least + random() % (most - least + 1);
  if (random() % 4 == 0) size = inode.now.size();
  bytes.resize(size);  // zeros where nothing was
  const uint64_t first = std::min<uint64_t>(inode.changed_from, size) / kPageBytes;
  const uint64_t pages = (size + kPageBytes - 1) / kPageBytes;
  if (first >= pages) return bytes;
  const uint64_t torn = random() % 2 == 0 ? first + random() % (pages - first) : UINT64_MAX;
  const uint64_t keep_in_8 = random() % 9;  // how many of 8 pages, so that all and none come about
  for (uint64_t page = first; page < pages; ++page) {
    const uint64_t begin = page * kPageBytes;
    if (page == torn) {
      for (uint64_t at = begin; at < begin + kPageBytes; at += kSectorBytes)
        if (random() % 2 == 0) copy_range(bytes, inode.now, at, at + kSectorBytes);
    } else if (random() % 8 < keep_in_8) {
      copy_range(bytes, inode.now, begin, begin + kPageBytes);
    }
  }
  return bytes;
}

void DiskModel::write_image(const std::string& path, Cut cut, std::mt19937_64& random) const {
  for (const auto& [name, directory] : directories_) {
    std::filesystem::create_directories(path + "/" + name);
    std::map<std::string, InodeNo> names = cut == Cut::kEverything ? directory.now : directory.synced;
    if (cut == Cut::kRandom) {
      size_t first = random() % (directory.changes.size() + 1);
      if (first > 0 && directory.changes[first - 1].with_next) ++first;
      for (size_t i = 0; i < first; ++i) {
        const Change& change = directory.changes[i];
        if (change.inode == 0)
          names.erase(change.name);
        else
          names[change.name] = change.inode;
      }
    }
    for (const auto& [file, inode] : names) {
      const std::string bytes = bytes_after(inodes_.at(inode), cut, random);
      std::ofstream(path + "/" + file, std::ios::binary)
          .write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    }
  }
}

}  // namespace pqd::test
