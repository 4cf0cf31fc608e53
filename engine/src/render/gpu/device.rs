//! Choosing an adapter and opening its device.

use std::sync::{Arc, Mutex, PoisonError};

use wgpu::{Backends, DeviceType, DownlevelFlags, InstanceDescriptor, InstanceFlags};

use crate::render::{RenderError, RenderOptions};

/// The open device.
pub(super) struct Gpu {
    pub(super) instance: wgpu::Instance,
    pub(super) adapter: wgpu::Adapter,
    pub(super) device: wgpu::Device,
    pub(super) queue: wgpu::Queue,
    pub(super) limits: wgpu::Limits,
    /// Why the device is lost, if it is.
    lost: Arc<Mutex<Option<String>>>,
}

impl Gpu {
    /// Opens the best adapter: a real GPU by Vulkan (or Metal, DX12), else a real GPU by OpenGL,
    /// else a software adapter. `WGPU_BACKEND` restricts the choice.
    pub(super) fn open(options: &RenderOptions) -> Result<Self, RenderError> {
        let (instance, adapter) = choose(options)?;
        let limits = adapter.limits();
        let descriptor = wgpu::DeviceDescriptor {
            label: Some("farpane"),
            required_limits: limits.clone(),
            memory_hints: wgpu::MemoryHints::MemoryUsage,
            ..Default::default()
        };
        let (device, queue) = pollster::block_on(adapter.request_device(&descriptor))
            .map_err(|error| RenderError::NoAdapter(error.to_string()))?;
        let lost = Arc::new(Mutex::new(None));
        let note = Arc::clone(&lost);
        device.set_device_lost_callback(move |_, message| {
            *note.lock().unwrap_or_else(PoisonError::into_inner) = Some(message);
        });
        device.on_uncaptured_error(Arc::new(|error: wgpu::Error| tracing::error!(%error, "wgpu")));
        Ok(Self { instance, adapter, device, queue, limits, lost })
    }

    /// Loses the device: what a driver that crashed or was updated does.
    pub(super) fn lose(&self) {
        self.device.destroy();
        // The callback runs when the device is looked after.
        let _ = self.device.poll(wgpu::PollType::Poll);
    }

    /// Fails if the device was lost.
    pub(super) fn check(&self) -> Result<(), RenderError> {
        match &*self.lost.lock().unwrap_or_else(PoisonError::into_inner) {
            Some(why) => Err(RenderError::DeviceLost(why.clone())),
            None => Ok(()),
        }
    }

    /// Runs `make` and returns what it made, or the error that the device reported meanwhile.
    pub(super) fn try_make<T>(&self, make: impl FnOnce() -> T) -> Result<T, wgpu::Error> {
        let out_of_memory = self.device.push_error_scope(wgpu::ErrorFilter::OutOfMemory);
        let validation = self.device.push_error_scope(wgpu::ErrorFilter::Validation);
        let made = make();
        let validation = pollster::block_on(validation.pop());
        let out_of_memory = pollster::block_on(out_of_memory.pop());
        match validation.or(out_of_memory) {
            Some(error) => Err(error),
            None => Ok(made),
        }
    }
}

fn choose(options: &RenderOptions) -> Result<(wgpu::Instance, wgpu::Adapter), RenderError> {
    if let Some(backends) = Backends::from_env() {
        return request(options, backends);
    }
    // OpenGL is looked at only if it can be better: opening it takes its time.
    let first = request(options, Backends::PRIMARY);
    let good = |adapter: &wgpu::Adapter| is_gpu(adapter) || options.force_software || !may_have_gpu();
    if first.as_ref().is_ok_and(|(_, adapter)| good(adapter)) {
        return first;
    }
    match request(options, Backends::GL) {
        Ok(second) if first.is_err() || is_gpu(&second.1) => Ok(second),
        _ => first,
    }
}

fn request(
    options: &RenderOptions,
    backends: Backends,
) -> Result<(wgpu::Instance, wgpu::Adapter), RenderError> {
    let mut descriptor = match &options.display {
        Some(display) => InstanceDescriptor::new_with_display_handle_from_env(Box::new(Arc::clone(display))),
        None => InstanceDescriptor::new_without_display_handle_from_env(),
    };
    descriptor.backends = backends;
    descriptor.flags = InstanceFlags::empty().with_env();
    let instance = wgpu::Instance::new(descriptor);
    let adapter = pollster::block_on(instance.request_adapter(&wgpu::RequestAdapterOptions {
        power_preference: wgpu::PowerPreference::LowPower,
        force_fallback_adapter: options.force_software,
        ..Default::default()
    }))
    .map_err(|error| RenderError::NoAdapter(error.to_string()))?;
    let can_unpack = adapter.limits().max_storage_buffers_per_shader_stage > 0
        && adapter.get_downlevel_capabilities().flags.contains(DownlevelFlags::FRAGMENT_STORAGE);
    if !can_unpack {
        let name = adapter.get_info().name;
        return Err(RenderError::NoAdapter(format!("{name} has no storage buffers")));
    }
    Ok((instance, adapter))
}

/// Whether the kernel shows a GPU. Where that cannot be told cheaply: perhaps.
pub(in crate::render) fn may_have_gpu() -> bool {
    let nodes = ["/dev/dri", "/dev/nvidiactl", "/dev/dxg", "/dev/kgsl-3d0"];
    !cfg!(target_os = "linux") || nodes.iter().any(|node| std::path::Path::new(node).exists())
}

fn is_gpu(adapter: &wgpu::Adapter) -> bool {
    adapter.get_info().device_type != DeviceType::Cpu
}
