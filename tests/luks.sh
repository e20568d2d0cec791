#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A job on a real LUKS volume, in a virtual machine with Debian's kernel: its volumes are `proven`, those of the
# same job on a plain disk are not, and the sandbox stands with the Landlock of that kernel. Run by hand.
#
#   BOOSTLENS=build/container/boostlens sh tests/luks.sh [TREE]
#
# One line a claim, as in tests/contract. TREE: where to write what /proc and /sys looked like, in the form of
# tests/unit/isolate/trees. Needs: qemu-system-x86 busybox-static cpio kmod cryptsetup-bin e2fsprogs, and apt-get to
# fetch a kernel (26 MB, unpacked into a temporary folder, not installed).
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
boostlens=$(readlink -f "${BOOSTLENS:-$here/build/container/boostlens}")
tree=${1:-}
skip() { echo "skip - a job on a real LUKS volume: $*"; exit 0; }

[ -x "$boostlens" ] || { echo "no program at $boostlens"; exit 1; }
[ "$(uname -m)" = x86_64 ] || skip "this script knows x86-64 only"
for tool in qemu-system-x86_64 cpio depmod cryptsetup mkfs.ext4 apt-get dpkg-deb; do
    PATH=$PATH:/usr/sbin:/sbin command -v "$tool" >/dev/null ||
        skip "no $tool (apt-get install qemu-system-x86 busybox-static cpio kmod cryptsetup-bin e2fsprogs)"
done
PATH=$PATH:/usr/sbin:/sbin
busybox=$(command -v busybox) || skip "no busybox (busybox-static)"

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch"

# --- A kernel and its modules ---------------------------------------------------------------------

package=$(apt-cache depends linux-image-cloud-amd64 2>/dev/null | sed -n 's/.*Depends: \(linux-image-[0-9].*\)/\1/p' | head -n 1)
[ -n "$package" ] || skip "apt knows no cloud kernel"
apt-get download -q "$package" >/dev/null 2>&1 || skip "apt-get could not fetch $package"
dpkg-deb -x ./*.deb kernel
version=$(ls kernel/lib/modules)
depmod -b kernel "$version"

mkdir -p root/bin root/proc root/sys root/dev root/tmp root/mnt root/plain root/job root/run
: >root/modules
for module in dm-crypt xts ecb aes_generic ext4 crc32c_generic; do
    modprobe -d kernel -S "$version" --show-depends "$module" 2>/dev/null | while read -r verb path _; do
        [ "$verb" = insmod ] || continue
        path=${path#kernel/}
        path=${path##*/kernel/lib/modules/}
        name=$(basename "$path")
        [ -e "root/$name" ] && continue
        find kernel -name "$name" -exec cp {} "root/$name" \;
        echo "$name" >>root/modules
    done
done
grep -q dm-crypt root/modules || skip "this kernel has no module dm-crypt"

# --- Programs with their libraries, and a job ---------------------------------------------------------

cp "$busybox" root/bin/busybox
# All libraries in one folder: where they lie here may be below a folder that is mounted over there.
mkdir -p root/opt/bin root/opt/lib
for program in "$boostlens" "$(command -v cryptsetup)" "$(command -v mkfs.ext4)"; do
    cp -L "$program" root/opt/bin/
    ldd "$program" | sed -n 's/.*=> \(\/[^ ]*\).*/\1/p' | while read -r library; do cp -L "$library" root/opt/lib/; done
    ldd "$program" | sed -n 's/^[[:space:]]*\(\/[^ ]*\) (.*/\1/p' | while read -r loader; do cp -L --parents "$loader" root/; done
done
# XGBoost's wheel asks for its own name of libgomp, which is a link to the system's.
xgboost=$(ldd "$boostlens" | sed -n 's/.*=> \(\/[^ ]*libxgboost[^ ]*\).*/\1/p')
for copy in "$(dirname "$xgboost")"/../../xgboost_cpu.libs/libgomp-*; do
    [ ! -e "$copy" ] || ln -s libgomp.so.1 "root/opt/lib/$(basename "$copy")"
done
mkdir -p root/job/input/config root/job/input/data/train
printf '{"num_round": "3", "objective": "binary:logistic", "bl_require_encryption": "proven"}\n' >root/job/input/config/hyperparameters.json
printf '{"train": {"ContentType": "text/csv"}}\n' >root/job/input/config/inputdataconfig.json
awk 'BEGIN { for (i = 0; i < 400; i++) print i % 2 "," (i * 7) % 13 "," (i * 5) % 11 }' >root/job/input/data/train/a.csv

cat >root/init <<INIT
#!/bin/busybox sh
/bin/busybox mkdir -p /sbin /usr/bin /etc
/bin/busybox --install -s /bin
export PATH=/opt/bin:/bin LD_LIBRARY_PATH=/opt/lib DM_DISABLE_UDEV=1 GOMP_SPINCOUNT=1000
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs dev /dev
mount -t tmpfs tmpfs /tmp
mount -t tmpfs tmpfs /run
for module in \$(cat /modules); do insmod /\$module; done
printf key | cryptsetup luksFormat --type luks2 --pbkdf pbkdf2 --pbkdf-force-iterations 1000 -q /dev/nvme0n1 -
printf key | cryptsetup open /dev/nvme0n1 xgt -
mkfs.ext4 -q /dev/mapper/xgt && mount -t ext4 /dev/mapper/xgt /mnt
mkfs.ext4 -q /dev/nvme1n1 && mount -t ext4 /dev/nvme1n1 /plain
for place in /mnt /plain; do
    cp -R /job \$place/job
    echo; echo "BEGIN \$place"
    boostlens train --root \$place/job >/dev/null 2>/run/log
    echo "EXIT \$?"
    sed 's/^/LOG /' /run/log
    sed 's/^/JSON /' \$place/job/output/data/isolation.json
done
relative() { echo "TREE \$1 -> \$(readlink \$1)" | sed 's/TREE \//TREE /'; }
text() { while read -r line; do echo "TREE \${1#/} = \$line"; done <\$1; }
grep -E ' /(mnt|plain) ' /proc/self/mountinfo | while read -r line; do echo "TREE proc/self/mountinfo = \$line"; done
for device in dm-0 nvme0n1 nvme1n1; do
    folder=\$(readlink -f /sys/block/\$device)
    relative /sys/block/\$device
    relative /sys/dev/block/\$(cat \$folder/dev)
    text \$folder/dev
    for file in dm/uuid dm/name; do [ ! -e \$folder/\$file ] || text \$folder/\$file; done
    for slave in \$folder/slaves/*; do [ ! -e \$slave ] || relative \$slave; done
    if [ -e \$folder/device ]; then
        relative \$folder/device
        text \$(readlink -f \$folder/device)/model
    fi
done
echo END
poweroff -f
INIT
chmod +x root/init
(cd root && find . | cpio -o -H newc 2>/dev/null) | gzip -1 >initrd
for disk in 0 1; do truncate -s 96M "disk$disk"; done

timeout 600 qemu-system-x86_64 -accel tcg -cpu max -m 2048 -nographic -no-reboot \
    -kernel kernel/boot/vmlinuz-* -initrd initrd -append "console=ttyS0 quiet panic=-1" \
    -drive file=disk0,if=none,id=d0,format=raw -device nvme,drive=d0,serial=vol0123456789abcdef0 \
    -drive file=disk1,if=none,id=d1,format=raw -device nvme,drive=d1,serial=plain \
    </dev/null >console 2>&1 || true
tr -d '\r' <console >log

# --- What was seen ---------------------------------------------------------------------------------------

failed=0
claim() { # NAME, then a command
    name=$1
    shift
    if "$@"; then echo "ok - $name"; else echo "not ok - $name"; failed=1; fi
}
part() { awk -v place="$1" '$1 == "BEGIN" { on = $2 == place } $1 == "END" { on = 0 } on' log; }
part /mnt >luks.log
part /plain >plain.log
grep -q '^END' log || { tail -n 40 log | sed 's/^/# /'; echo "not ok - the virtual machine ran to its end"; exit 1; }
claim "a job on a LUKS volume is proven and trains" sh -c \
    "grep -q '^EXIT 0' luks.log && grep -q 'dm-crypt (LUKS2)' luks.log && grep -q '\"weakest\": \"proven\"' luks.log"
claim "the same job on a plain disk is refused before data are read" sh -c \
    "grep -q '^EXIT 1' plain.log && grep -q 'is not-encrypted: ext4, a plain disk' plain.log"
claim "the sandbox stands with the Landlock of Debian's kernel" grep -q '"kernel_abi": [1-9]' luks.log
grep -h 'isolation:' luks.log | sed 's/^LOG/#/'
[ "$failed" = 0 ] || sed 's/^/# /' luks.log plain.log
if [ -n "$tree" ]; then
    case $tree in /*) ;; *) tree=$OLDPWD/$tree ;; esac
    {
        echo "# Captured by tests/luks.sh, kernel $version."
        echo "expect /mnt/job proven dm-crypt (LUKS2)"
        echo "expect /plain/job not-encrypted a plain disk, model 'QEMU NVMe Ctrl'"
        sed -n 's/^TREE //p' log | sed 's/ *$//'
    } >"$tree"
fi
exit "$failed"
