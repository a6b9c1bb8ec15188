//! Which device runs the model.
//!
//! Adapters are looked for here and not by Burn: its own choice falls back to software
//! rasterisers and panics on first use when there is nothing.

use std::sync::{Mutex, PoisonError};

use burn::tensor::wgpu::{WgpuBackend, wgpu};
use burn::tensor::{DType, Device, DeviceKind};

use crate::fault::LocalError;
use crate::settings::DeviceChoice;

/// A device that was chosen and is not opened yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Chosen {
    /// The CPU.
    Cpu,
    /// An adapter.
    Adapter(Adapter),
}

/// A graphics adapter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Adapter {
    kind: DeviceKind,
    api: WgpuBackend,
    /// Adapter, interface, driver and compiler.
    text: String,
}

/// An open device, and the type in which it computes.
#[derive(Debug, Clone)]
pub(crate) struct Opened {
    pub device: Device,
    pub dtype: DType,
}

/// Burn sets an adapter up once in the life of a process and refuses a second time; a
/// model that is loaded again needs the device of the first time.
static OPENED: Mutex<Vec<(DeviceKind, WgpuBackend, Device)>> = Mutex::new(Vec::new());

/// The interfaces that are tried, the best first.
const APIS: [(wgpu::Backends, WgpuBackend, &str); 3] = [
    (wgpu::Backends::METAL, WgpuBackend::Metal, "Metal"),
    (wgpu::Backends::VULKAN, WgpuBackend::Vulkan, "Vulkan"),
    (wgpu::Backends::DX12, WgpuBackend::Dx12, "DX12"),
];

/// Chooses without opening.
///
/// # Errors
/// [`LocalError::Off`] for no device, [`LocalError::Device`] when what was asked for is
/// not there.
pub(crate) fn choose(choice: DeviceChoice) -> Result<Chosen, LocalError> {
    match choice {
        DeviceChoice::None => Err(LocalError::Off),
        DeviceChoice::Cpu => Ok(Chosen::Cpu),
        DeviceChoice::Auto if !may_have_hardware() => Ok(Chosen::Cpu),
        DeviceChoice::Auto => Ok(real_adapter().map_or(Chosen::Cpu, Chosen::Adapter)),
        DeviceChoice::Gpu => real_adapter().map(Chosen::Adapter).ok_or_else(|| {
            LocalError::Device(
                "device = \"gpu\", but there is no graphics adapter with a Vulkan, Metal or DX12 \
                 driver; install the driver, or use device = \"auto\" or \"cpu\""
                    .into(),
            )
        }),
        DeviceChoice::SoftwareVulkan if cfg!(feature = "vulkan") => Err(LocalError::Device(
            "device = \"software-vulkan\" does not work in a build with the feature `vulkan`, whose \
             shaders crash software adapters; build without it"
                .into(),
        )),
        DeviceChoice::SoftwareVulkan => {
            let software = adapters(wgpu::Backends::VULKAN, WgpuBackend::Vulkan, "Vulkan")
                .into_iter()
                .find(|adapter| adapter.kind == DeviceKind::Cpu);
            software.map(Chosen::Adapter).ok_or_else(|| {
                LocalError::Device(
                    "device = \"software-vulkan\", but there is no software Vulkan driver; install one \
                     (Debian: mesa-vulkan-drivers)"
                        .into(),
                )
            })
        }
    }
}

impl Chosen {
    /// Adapter, driver and compiler, or "CPU".
    pub(crate) fn text(&self) -> &str {
        match self {
            Chosen::Cpu => "CPU",
            Chosen::Adapter(adapter) => &adapter.text,
        }
    }

    /// Opens the device. An adapter computes in f16 where it can, except software, which
    /// is there to check numbers; the CPU computes in f32, where it is faster.
    ///
    /// # Errors
    /// [`LocalError::Device`]: its driver refuses.
    pub(crate) fn open(&self) -> Result<Opened, LocalError> {
        let Chosen::Adapter(adapter) = self else {
            return Ok(Opened { device: Device::flex(), dtype: DType::F32 });
        };
        let device = adapter.open()?;
        let half = adapter.kind != DeviceKind::Cpu && device.supports_dtype(DType::F16);
        Ok(Opened { device, dtype: if half { DType::F16 } else { DType::F32 } })
    }
}

impl Adapter {
    fn open(&self) -> Result<Device, LocalError> {
        let mut opened = OPENED.lock().unwrap_or_else(PoisonError::into_inner);
        let known = opened.iter().find(|(kind, api, _)| *kind == self.kind && *api == self.api);
        if let Some((_, _, device)) = known {
            return Ok(device.clone());
        }
        let options = Device::wgpu_options().device_kind(self.kind.clone()).graphics_api(self.api);
        let device = options.init().map_err(|error| {
            LocalError::Device(format!("{} does not start: {error}", self.text))
        })?;
        opened.push((self.kind.clone(), self.api, device.clone()));
        Ok(device)
    }
}

/// Whether asking the drivers can be worth it. Asking loads all of them, software
/// drivers and their compiler too, and some 50 MB stay in memory; on Linux an adapter
/// has a device file, and without one there is nobody to ask.
fn may_have_hardware() -> bool {
    const FILES: [&str; 9] = [
        "/dev/dri",
        "/dev/nvidiactl",
        "/dev/nvidia0",
        "/dev/nvgpu",
        "/dev/nvhost-gpu",
        "/dev/dxg",
        "/dev/kgsl-3d0",
        "/dev/mali0",
        "/dev/pvr_sync",
    ];
    !cfg!(target_os = "linux") || FILES.iter().any(|file| std::path::Path::new(file).exists())
}

/// The best adapter that is hardware.
fn real_adapter() -> Option<Adapter> {
    let rank = |kind: &DeviceKind| match kind {
        DeviceKind::DiscreteGpu(_) => Some(0),
        DeviceKind::IntegratedGpu(_) => Some(1),
        DeviceKind::VirtualGpu(_) => Some(2),
        _ => None,
    };
    APIS.iter()
        .flat_map(|&(backends, api, name)| adapters(backends, api, name))
        .filter_map(|adapter| Some((rank(&adapter.kind)?, adapter)))
        .min_by_key(|(rank, _)| *rank)
        .map(|(_, adapter)| adapter)
}

/// The adapters of one interface. Each kind is numbered on its own, in the order in
/// which the interface lists them: that is how Burn counts.
fn adapters(backends: wgpu::Backends, api: WgpuBackend, name: &str) -> Vec<Adapter> {
    if !wgpu::Instance::enabled_backend_features().contains(backends) {
        return Vec::new();
    }
    let instance = wgpu::Instance::new(wgpu::InstanceDescriptor {
        backends,
        ..wgpu::InstanceDescriptor::new_without_display_handle()
    });
    let mut seen = [0; 3];
    let mut number = |place: usize| {
        seen[place] += 1;
        seen[place] - 1
    };
    let found = burn::tensor::read_sync(instance.enumerate_adapters(backends));
    (found.iter().map(wgpu::Adapter::get_info))
        .filter_map(|info| {
            let kind = match info.device_type {
                wgpu::DeviceType::DiscreteGpu => DeviceKind::DiscreteGpu(number(0)),
                wgpu::DeviceType::IntegratedGpu => DeviceKind::IntegratedGpu(number(1)),
                wgpu::DeviceType::VirtualGpu => DeviceKind::VirtualGpu(number(2)),
                wgpu::DeviceType::Cpu => DeviceKind::Cpu,
                wgpu::DeviceType::Other => return None,
            };
            let driver = format!("{} {}", info.driver, info.driver_info);
            let text =
                format!("{} ({name}, driver {}, {})", info.name, driver.trim(), compiler(api));
            Some(Adapter { kind, api, text })
        })
        .collect()
}

fn compiler(api: WgpuBackend) -> &'static str {
    if cfg!(feature = "vulkan") && api == WgpuBackend::Vulkan { "SPIR-V" } else { "WGSL" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_device_is_no_model() {
        assert!(matches!(choose(DeviceChoice::None), Err(LocalError::Off)));
    }

    #[test]
    fn software_is_never_chosen_unless_it_is_named() {
        for choice in [DeviceChoice::Auto, DeviceChoice::Gpu] {
            if let Ok(Chosen::Adapter(adapter)) = choose(choice) {
                assert_ne!(adapter.kind, DeviceKind::Cpu, "{choice:?} took {}", adapter.text);
            }
        }
    }

    #[test]
    fn the_cpu_computes_in_f32() {
        let chosen = choose(DeviceChoice::Cpu).expect("there is always a CPU");
        assert_eq!(chosen.text(), "CPU");
        assert_eq!(chosen.open().expect("the CPU opens").dtype, DType::F32);
    }
}
